const whole = (name: string, fallback: number): number => {
  const text = process.env[name]
  if (text === undefined || text === '') return fallback
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`${name}=${text} is no whole number of 1 or more`)
  return Number(text)
}

/** How much is moved and how often. The defaults are the work of the published figures; smaller ones are for development. */
export const stackSettings = {
  /** Rows of the topic that is moved in each run. */
  rows: whole('CRYPTOS_BENCH_ROWS', 1_000_000),
  /** Rows of the live rate, where each is a statement of its own and takes fifteen times as long. */
  liveRows: whole('CRYPTOS_BENCH_LIVE_ROWS', 100_000),
  /** Rounds that count, even, so that each order comes as often; one more comes before them and is dropped. */
  rounds: whole('CRYPTOS_BENCH_ROUNDS', 4),
  /** Seconds of the open loop at 1,000 rows/s, for each store. */
  freshnessSeconds: whole('CRYPTOS_BENCH_FRESHNESS_S', 30),
  /** Parts of the group; all unless CRYPTOS_BENCH_PARTS names some, separated by commas. */
  parts: (process.env['CRYPTOS_BENCH_PARTS'] ?? 'influx,cassandra,live,rss,freshness,publish').split(','),
} as const

export const topicName = 'market.quotes.v1'
export const partitions = 4
