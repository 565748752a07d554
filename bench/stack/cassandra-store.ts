import cassandra from 'cassandra-driver'
import type { BenchServers } from './servers.ts'

const ranges = 32
const lowest = -(2n ** 63n)
const step = 2n ** 64n / BigInt(ranges)

/** The Cassandra of a part: a keyspace of its own, emptied before each run and counted after it. */
export class CassandraStore {
  readonly keyspace: string
  readonly #client: cassandra.Client
  private constructor(client: cassandra.Client, keyspace: string) {
    this.#client = client
    this.keyspace = keyspace
  }

  static async open(
    { host, port, datacenter }: BenchServers['cassandra'],
    keyspace: string,
  ): Promise<CassandraStore> {
    const client = new cassandra.Client({
      contactPoints: [`${host}:${port}`],
      localDataCenter: datacenter,
      socketOptions: { readTimeout: 120_000 },
    })
    await client.connect()
    await client.execute(
      `CREATE KEYSPACE IF NOT EXISTS ${keyspace} WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`,
    )
    return new CassandraStore(client, keyspace)
  }

  async execute(cql: string): Promise<void> {
    await this.#client.execute(cql)
  }

  async empty(tables: readonly string[]): Promise<void> {
    for (const table of tables) await this.#client.execute(`TRUNCATE ${this.keyspace}.${table}`)
  }

  /** Rows of the quotes and the sum of their prices, range by range of the ring: one query over all would run into a time-out. */
  async count(column: string): Promise<{ readonly rows: number; readonly priceSum: number }> {
    const cql = `SELECT count(*) AS rows, sum(${column}) AS price_sum FROM ${this.keyspace}.quotes WHERE token(provider, asset, currency, month) > ? AND token(provider, asset, currency, month) <= ?`
    const found = { rows: 0, priceSum: 0 }
    for (let i = 0; i < ranges; i += 1) {
      const from = lowest + BigInt(i) * step
      const to = i === ranges - 1 ? 2n ** 63n - 1n : from + step
      const bounds = [from, to].map(bound => cassandra.types.Long.fromString(String(bound)))
      const row = (await this.#client.execute(cql, bounds, { prepare: true })).first()
      found.rows += Number(row?.['rows'] ?? 0)
      found.priceSum += Number(row?.['price_sum'] ?? 0)
    }
    return found
  }

  async drop(): Promise<void> {
    await this.#client.execute(`DROP KEYSPACE IF EXISTS ${this.keyspace}`)
    await this.#client.shutdown()
  }
}
