import { EpochMicros } from '../../../core/brands.ts'
import { VirtualClock } from '../../../core/virtual-clock.ts'
import { stackServers, uniqueName } from '../../../test/stack/servers.ts'
import { openInfluxReader } from './reader.ts'
import { openInfluxSink } from './sink.ts'
import type { InfluxOptions } from './sink.ts'

/** After any time that a generated record has. */
export const late = EpochMicros(Date.UTC(2100, 0, 1) * 1_000)

/** A database of a test's own on the server that runs for the tests. */
export const storeOptions = (more: Partial<InfluxOptions> = {}): InfluxOptions => ({
  ...{ url: stackServers.influxdb.url, database: uniqueName('t'), clock: new VirtualClock(late) },
  ...more,
})

export async function openStore(options = storeOptions()) {
  const sink = await openInfluxSink(options)
  const reader = await openInfluxReader(options)
  const close = async (): Promise<void> => {
    await reader.close()
    await sink.close()
  }
  return { options, sink, reader, settle: () => Promise.resolve(), close }
}
