import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { goProgram } from '../fetch.ts'
import { httpReady } from '../probes.ts'
import type { Launch, Place, Server } from '../server.ts'

/** influx.conf. A setting is named `section.key`, its value is TOML: `{ 'http.auth-enabled': 'true' }`. */
export function influxConfig(place: Place): string {
  const { client, rpc } = place.ports.influxdb
  const values: Record<string, string> = {
    'reporting-disabled': 'true',
    'bind-address': `"127.0.0.1:${rpc}"`,
    'meta.dir': JSON.stringify(join(place.folder, 'data', 'meta')),
    'meta.logging-enabled': 'false',
    'data.dir': JSON.stringify(join(place.folder, 'data', 'data')),
    'data.wal-dir': JSON.stringify(join(place.folder, 'data', 'wal')),
    'data.index-version': '"tsi1"',
    'data.query-log-enabled': 'false',
    'data.cache-max-memory-size': '"256m"',
    'http.bind-address': `"127.0.0.1:${client}"`,
    // Flux costs 2.5 s to 9 s at each start.
    'http.flux-enabled': 'false',
    'http.auth-enabled': 'false',
    'http.log-enabled': 'false',
    'monitor.store-enabled': 'false',
    'subscriber.enabled': 'false',
    'continuous_queries.enabled': 'false',
    'logging.level': '"warn"',
    ...place.settings.influxdb,
  }
  const sections = Map.groupBy(Object.entries(values), ([key]) =>
    key.includes('.') ? key.split('.')[0] : '',
  )
  return [...sections]
    .map(([section, entries]) => {
      const head = section ? `[${section}]\n` : ''
      return head + entries.map(([key, value]) => `${key.slice(key.indexOf('.') + 1)} = ${value}\n`).join('')
    })
    .join('')
}

async function prepare(place: Place): Promise<Launch> {
  const file = await goProgram('influxdb', place.say)
  const config = join(place.folder, 'influx.conf')
  writeFileSync(config, influxConfig(place))
  return { file, args: ['-config', config] }
}

/** InfluxDB 1.x with its v1 and v2 write API. */
export const influxServer = (place: Place): Server => ({
  name: 'influxdb',
  kind: 'influxdb',
  address: `http://127.0.0.1:${place.ports.influxdb.client}`,
  listens: [place.ports.influxdb.client, place.ports.influxdb.rpc],
  stopSignal: 'SIGTERM',
  prepare: () => prepare(place),
  ready: () => httpReady(`http://127.0.0.1:${place.ports.influxdb.client}/ping`),
})
