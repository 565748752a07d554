import { readFileSync } from 'node:fs'

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

/** Starts the servers in a folder of their own; or takes those that the JSON file of CRYPTOS_BENCH_SERVERS names. */
export async function openServers(): Promise<BenchServers | string> {
  const file = process.env['CRYPTOS_BENCH_SERVERS']
  if (file === undefined) return 'no launcher of servers yet'
  const named = JSON.parse(readFileSync(file, 'utf8')) as Omit<BenchServers, 'close'>
  return { ...named, close: async () => undefined }
}
