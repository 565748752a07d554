import { readFileSync } from 'node:fs'
import type { ServerName } from '../../scripts/stack/pins.ts'
import { missingTools, status } from '../../scripts/stack/stack.ts'
import { type ThrowAwayStack, throwAwayStack } from '../../test/stack/throw-away.ts'

/** The servers of the group, with the process ids whose CPU is counted. */
export interface BenchServers {
  readonly kafka: { readonly brokers: readonly string[]; readonly pid: number }
  readonly influxdb: { readonly url: string; readonly pid: number }
  readonly cassandra: {
    readonly host: string
    readonly port: number
    readonly datacenter: string
    readonly pid: number
  }
  close(): Promise<void>
}

const wanted = ['kafka', 'cassandra', 'influxdb'] as const
/** As servers of a machine of their own would be: the whole compiler, G1, and heaps in which 1 M rows are no burden. */
const compiler = ['-XX:TieredStopAtLevel=4', '-XX:-UseSerialGC', '-XX:+UseG1GC']
const jvm = {
  kafka: [...compiler, '-Xms512m', '-Xmx512m'],
  cassandra: [...compiler, '-Xms1536m', '-Xmx1536m'],
}
const settings = {
  cassandra: {
    auto_snapshot: 'false',
    commitlog_segment_size: '32MiB',
    memtable_heap_space: '256MiB',
    memtable_offheap_space: '256MiB',
  },
  influxdb: { 'data.cache-max-memory-size': '"1g"' },
}

/**
 * Starts the servers in a folder of their own, at ports of their own (CRYPTOS_BENCH_PORT_OFFSET, 8000 unless set); or takes those that
 * the JSON file of CRYPTOS_BENCH_SERVERS names. Text = why they can not run here.
 */
export async function openServers(): Promise<BenchServers | string> {
  const file = process.env['CRYPTOS_BENCH_SERVERS']
  if (file !== undefined)
    return { ...(JSON.parse(readFileSync(file, 'utf8')) as BenchServers), close: async () => undefined }
  const missing = missingTools(wanted)
  if (missing.length > 0) return missing.map(m => m.error.message).join('; ')
  const { addresses, folder, stop: close } = await startServers(wanted)
  const states = await status(folder)
  const pid = (name: string): number => states.find(s => s.name === name)?.pid ?? 0
  return {
    kafka: { ...addresses.kafka, pid: pid('kafka') },
    influxdb: { ...addresses.influxdb, pid: pid('influxdb') },
    cassandra: { ...addresses.cassandra, pid: pid('cassandra') },
    close,
  }
}

/** Servers that a guard stops, and whose data it removes, however this process ends: by SIGKILL too. */
export function startServers(servers: readonly ServerName[]): Promise<ThrowAwayStack> {
  const portOffset = Number(process.env['CRYPTOS_BENCH_PORT_OFFSET'] ?? 8_000)
  const say = (line: string): void => console.error(line)
  return throwAwayStack({ servers, portOffset, settings, jvm, say })
}
