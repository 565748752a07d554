import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { auditWhileWriting } from '../../app/audit/while-writing.ts'
import { repair } from '../../app/audit/repair.ts'
import type { AuditReport } from '../../app/audit/report.ts'
import type { AuditStore } from '../../app/audit/store.ts'
import { closeAuditStores, openAuditStores } from '../../app/audit/stores.ts'
import { from, inWorld, now, quote, useAudit, type World } from '../../app/audit/world.contract.ts'
import { loadConfig } from '../../app/config/load.ts'
import { openStore, type StorePlace } from '../../app/open-store.ts'
import { cassandraOptions, influxOptions } from '../../app/servers.ts'
import { sandboxSource } from '../../app/source.ts'
import { AssetId, type DecimalString, ProviderId } from '../../core/brands.ts'
import { type Gap, marketRecordId, type Quote, quoteId, quoteVersion } from '../../core/records.ts'
import { addMs, MINUTE } from '../../core/time.ts'
import { systemClock } from '../../host/clock.ts'
import { monthOf } from '../../processors/sinks/cassandra/months.ts'
import { openSession } from '../../processors/sinks/cassandra/session.ts'
import { quoteLine } from '../../processors/sinks/influxdb/quote-line.ts'
import { sourceAt } from '../../processors/sink.contract.ts'
import { scratch } from '../support/scratch.ts'
import { lastDigit } from '../support/good-data.ts'
import { uniqueName } from './servers.ts'
import { fullEnv, servedStores } from './support/world.ts'

useAudit()

/** A price each minute, received a second later, the third of them in two versions. */
const minute = (n: number): Quote => ({
  ...quote(addMs(now, -n * MINUTE), addMs(now, -n * MINUTE + 1_000), `1${n}.250`),
  marketCap: '1234567890.10' as DecimalString,
})
const older = minute(3)
const newer = { ...older, price: '13.75' as DecimalString, receivedAt: addMs(older.receivedAt, 20_000) }
const prices = [minute(9), minute(6), newer, minute(2)]
const gap: Gap = {
  ...{ kind: 'gap', provider: ProviderId('coinmarketcap'), dataset: 'quotes', asset: AssetId('solana') },
  ...{ sourceId: '5426', currency: 'USD', expectedAt: addMs(now, -4 * MINUTE), state: 'missing' },
  ...{ reason: 'not in the answer', receivedAt: addMs(now, -3 * MINUTE), revision: 0, origin: 'live' },
  ...{ runId: 'run', rawRef: 'a' },
}
const made = [minute(9), minute(6), older, newer, minute(2)].map(q => ({ ...q, rawRef: 'a' }))
const [first, second, current] = [made[0]!, made[1]!, made[3]!]

/** New names on the servers for each test, filled with good data. */
let place: StorePlace
let stores: readonly AuditStore[]
let folder: ReturnType<typeof scratch>
let world: World

beforeAll(() => {
  folder = scratch('audit-stack')
})
afterAll(() => folder[Symbol.dispose]())

async function openWorld(isFilled: boolean): Promise<void> {
  const config = loadConfig(fullEnv(uniqueName('audit'), folder.file('data')))
  place = { config, source: sandboxSource(config, ''), clock: systemClock }
  for (const name of servedStores) {
    const store = await openStore(name, place)
    if (isFilled) {
      await store.write(made, sourceAt(0, made.length))
      await store.market.write([gap], { ...sourceAt(0, 1), topic: 'source.events.v1' })
    }
    await store.close()
  }
  stores = await openAuditStores(place)
  world = { answers: [{ id: 'a', made, beside: [gap] }], topic: made, marketTopic: [gap], stores }
}
const closeWorld = (): Promise<void> => closeAuditStores(stores)

const look = (): Promise<AuditReport> => inWorld(world, ports => auditWhileWriting(ports, from, now))
const repaired = () =>
  inWorld(world, async ports => repair(ports, await auditWhileWriting(ports, from, now), now))
const seen = ({ differences }: AuditReport): string[] =>
  differences.map(d => `${d.kind} ${d.in} ${d.store} ${d.id}`)

async function cql(query: string, params: readonly (string | number)[]): Promise<void> {
  const options = cassandraOptions(place.config, place.source, place.clock)
  const session = await openSession(options)
  try {
    await session.run({ query: query.replaceAll('KEYSPACE', options.keyspace), params: [...params] })
  } finally {
    await session.close()
  }
}

async function influx(path: 'query' | 'write', body: string | URLSearchParams): Promise<void> {
  const { url, database } = influxOptions(place.config, place.source, place.clock)
  const response = await fetch(`${url}/${path}?db=${database}&precision=u`, { method: 'POST', body })
  const text = await response.text()
  expect(`${response.status} ${text}`).toMatch(/^20[04] (?!.*error)/s)
}

const head = 'quote,provider=coinmarketcap,asset=bitcoin,currency=USD'
const key = ({ provider, asset, currency, observedAt }: Quote) =>
  [provider, asset, currency, monthOf(observedAt), observedAt] as const
const where = 'WHERE provider=? AND asset=? AND currency=? AND month=? AND observed_at=?'

describe('the audit of Cassandra and InfluxDB', () => {
  beforeEach(() => openWorld(true))
  afterEach(() => closeWorld())

  it('finds them equal to the answers, and says that they keep no bars', async () => {
    const report = await look()
    expect(seen(report)).toEqual([])
    expect(report.rows).toMatchObject({ answers: 5, topic: 5 })
    expect(report.stores).toMatchObject([
      { name: 'cassandra', rows: prices.length, market: 1, bars: null, pending: 0 },
      { name: 'influxdb', rows: prices.length, market: 1, bars: null, pending: 0 },
    ])
  })

  it('finds what was deleted, changed by one digit, put back to an older version, or added, each where it is', async () => {
    const extra = { ...minute(7), rawRef: 'a' }
    // Cassandra: one row gone, one with another digit, and one that nobody made.
    await cql(`DELETE FROM KEYSPACE.quotes USING TIMESTAMP ? ${where}`, [quoteVersion(first), ...key(first)])
    const other = Number(lastDigit(second.price.slice(0, 4)))
    await cql(`UPDATE KEYSPACE.quotes USING TIMESTAMP ? SET price=${other} ${where}`, [
      quoteVersion(second) + 1,
      ...key(second),
    ])
    const cassandra = await openStore('cassandra', place)
    await cassandra.write([extra], sourceAt(9, 10))
    await cassandra.close()
    // InfluxDB: one point gone, and an older version over a newer one, as a second writer leaves it.
    await influx(
      'query',
      new URLSearchParams({ q: `DELETE FROM "quote" WHERE time = ${first.observedAt}000` }),
    )
    await influx('write', quoteLine(head, made[2]!, true))
    const found = seen(await look())
    expect(found.toSorted((a, b) => a.localeCompare(b))).toEqual([
      `changed store cassandra ${quoteId(second)}`,
      `changed store influxdb ${quoteId(current)}`,
      `extra store cassandra ${quoteId(extra)}`,
      `missing store cassandra ${quoteId(first)}`,
      `missing store influxdb ${quoteId(first)}`,
    ])
    // InfluxDB takes what it lacks. Of Cassandra nothing: its mark of the deletion is as new as the row, its digit has the same version.
    expect(await repaired()).toMatchObject([
      { store: 'cassandra', written: 1, left: 2 },
      { store: 'influxdb', written: 2, left: 0 },
    ])
    const left = seen(await look())
    expect(left.filter(d => d.includes('influxdb'))).toEqual([])
    expect(left.filter(d => d.includes('cassandra'))).toHaveLength(3)
  })

  it('finds a changed digit in InfluxDB, and leaves it: of two rows of one version nobody knows the right one', async () => {
    const changed = { ...second, price: lastDigit(second.price) as DecimalString }
    await influx('write', quoteLine(head, changed, true))
    expect(seen(await look())).toEqual([`changed store influxdb ${quoteId(second)}`])
    expect(await repaired()).toEqual([{ store: 'influxdb', written: 0, left: 1 }])
  })
})

describe('audit --repair of empty stores', () => {
  beforeEach(() => openWorld(false))
  afterEach(() => closeWorld())

  it('fills both from the topic, each record in its newest version', async () => {
    const before = seen(await look())
    expect(before).toHaveLength(2 * (prices.length + 1))
    expect(before).toContain(`missing store cassandra ${marketRecordId(gap)}`)
    const written = prices.length + 1
    expect(await repaired()).toEqual([
      { store: 'cassandra', written, left: 0 },
      { store: 'influxdb', written, left: 0 },
    ])
    expect(seen(await look())).toEqual([])
  })
})
