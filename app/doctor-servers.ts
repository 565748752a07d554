import { toCryptosError } from '../core/errors.ts'
import { systemClock } from '../host/clock.ts'
import type { Config } from './config/load.ts'
import { partsOf } from './config/parts.ts'
import type { Finding } from './doctor.ts'
import { openStoreReader } from './open-store.ts'
import { liveSource, sandboxSource, settledKind } from './source.ts'
import { openBroker, openLedger } from './stores.ts'

interface Server {
  readonly name: string
  readonly where: string
  readonly open: () => Promise<{ close(): Promise<void> }>
}

/** Each server that this profile uses, by opening what the program opens of it. Files are looked at elsewhere. */
export function servers(config: Config): Promise<readonly Finding[]> {
  const source = settledKind(config) === 'live' ? liveSource(config) : sandboxSource(config, '')
  const place = { config, source, clock: systemClock }
  const { ledger, broker, stores } = partsOf(config)
  const kafka = config.kafkaBrokers.join(', ')
  const wanted: readonly (Server | false)[] = [
    ledger === 'postgres' && {
      name: 'postgres',
      where: config.postgresUrl.replace(/^.*@/, ''),
      open: () => openLedger(config, source, systemClock),
    },
    broker === 'kafka' && {
      name: 'kafka',
      where: kafka,
      open: () => openBroker(config, source, systemClock),
    },
    stores.includes('cassandra') && {
      name: 'cassandra',
      where: config.cassandraHosts.join(', '),
      open: () => openStoreReader('cassandra', place),
    },
    stores.includes('influxdb') && {
      name: 'influxdb',
      where: config.influxUrl,
      open: () => openStoreReader('influxdb', place),
    },
  ]
  return Promise.all(wanted.filter(server => server !== false).map(lookAt))
}

async function lookAt({ name, where, open }: Server): Promise<Finding> {
  try {
    await (await open()).close()
    return { name, ok: true, what: `${where} answers` }
  } catch (error) {
    return { name, ok: false, what: toCryptosError(error).message }
  }
}
