import cassandra from 'cassandra-driver'
import { systemClock } from '../../host/clock.ts'
import { openCassandraSink } from '../../processors/sinks/cassandra/sink.ts'
import type { MoverTask } from './movers/mover.ts'
import type { BenchServers } from './servers.ts'

const ranges = 32
const lowest = -(2n ** 63n)
const step = 2n ** 64n / BigInt(ranges)

type Place = NonNullable<MoverTask['cassandra']>

/** The product makes its tables, also for the loop. */
export async function makeTables(place: Place): Promise<void> {
  const sink = await openCassandraSink({
    ...{ ...place, replication: 1, ttlDays: 0, acceptLossWindow: false, clock: systemClock },
  })
  await sink.close()
}

/** The Cassandra of a part: a keyspace of its own, emptied before each run and counted after it. */
export class CassandraStore {
  readonly place: Place
  readonly #client: cassandra.Client
  private constructor(client: cassandra.Client, place: Place) {
    this.#client = client
    this.place = place
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
    return new CassandraStore(client, { hosts: [`${host}:${port}`], datacenter, keyspace })
  }

  async empty(tables: readonly string[]): Promise<void> {
    for (const table of tables) await this.#client.execute(`TRUNCATE ${this.place.keyspace}.${table}`)
  }

  /** Rows of the quotes and the sum of their prices, range by range of the ring: one query over all would run into a time-out. */
  async count(column: string): Promise<{ readonly rows: number; readonly priceSum: number }> {
    const cql = `SELECT count(*) AS rows, sum(${column}) AS price_sum FROM ${this.place.keyspace}.quotes WHERE token(provider, asset, currency, month) > ? AND token(provider, asset, currency, month) <= ?`
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
    await this.#client.execute(`DROP KEYSPACE IF EXISTS ${this.place.keyspace}`)
    await this.#client.shutdown()
  }
}
