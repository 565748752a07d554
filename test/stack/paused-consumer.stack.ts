import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type AuditPorts, audit } from '../../app/audit/audit.ts'
import { repair } from '../../app/audit/repair.ts'
import { closeAuditStores, openAuditStores } from '../../app/audit/stores.ts'
import { inWorld } from '../../app/audit/world.contract.ts'
import { openStoreReader } from '../../app/open-store.ts'
import { topics } from '../../app/stores.ts'
import { AssetId, type DecimalString } from '../../core/brands.ts'
import type { LatestPrice } from '../../core/ports/reader.ts'
import { type Quote, quoteId } from '../../core/records.ts'
import { addMs, DAY, HOUR, MINUTE } from '../../core/time.ts'
import { systemClock } from '../../host/clock.ts'
import { quoteMessage } from '../../topics/messages.ts'
import { until } from '../support/program.ts'
import { stackServers } from './servers.ts'
import { openRelay } from './support/relay.ts'
import { end, hashOf, numbered, openWorld, servedStores, type World } from './support/world.ts'

const count = 4_000
const [from, to] = [addMs(numbered(0).observedAt, -HOUR), addMs(numbered(0).observedAt, DAY)]
const older = Array.from({ length: count }, (_, n) => numbered(n))
/** What the provider said of the same moments a minute later. */
const newer = older.map(q => ({
  ...q,
  price: `7${q.price}` as DecimalString,
  receivedAt: addMs(q.receivedAt, MINUTE),
}))
const later = older.slice(0, 1_000).map(q => ({ ...q, asset: AssetId(`${q.asset}-later`) }))
const right = [...newer, ...later]

let world: World
beforeEach(async () => {
  world = await openWorld('zombie', { CRYPTOS_BATCH_MAX_RECORDS: '100', CRYPTOS_BATCH_MAX_AGE_MS: '20' })
})
afterEach(() => world[Symbol.asyncDispose]())

const place = () => ({ config: world.config, source: world.source, clock: systemClock })
const produce = (all: readonly Quote[]): Promise<unknown> =>
  world.broker.produce(all.map(q => quoteMessage(topics.quotes.name, q)))

/** @throws Error that names the store that does not within two minutes */
async function untilBothHold(isThere: (rows: readonly Quote[]) => boolean): Promise<void> {
  const limit = performance.now() + 120_000
  for (const store of servedStores)
    while (!isThere(await world.rows(store))) {
      if (performance.now() > limit) throw new Error(`${store} does not hold what it should`)
      await sleep(300)
    }
}

/** The newest price of each series, as lines. */
async function latestOf(store: (typeof servedStores)[number]): Promise<string[]> {
  const reader = await openStoreReader(store, place())
  try {
    return lines(await reader.latest())
  } finally {
    await reader.close()
  }
}
const lines = (
  all: readonly Pick<LatestPrice, 'asset' | 'observedAt' | 'price' | 'receivedAt'>[],
): string[] => all.map(q => `${q.asset} ${q.observedAt} ${q.price} ${q.receivedAt}`).toSorted()
const newestOf = (rows: readonly Quote[]): string[] =>
  lines(
    [...Map.groupBy(rows, q => q.asset).values()].map(list =>
      list.reduce((a, b) => (b.observedAt > a.observedAt ? b : a)),
    ),
  )

/** The audit of both stores against all that was ever said. */
async function audited<T>(work: (ports: AuditPorts) => Promise<T>): Promise<T> {
  const stores = await openAuditStores(place(), servedStores)
  const made = [...older, ...right].map(q => ({ ...q }))
  try {
    return await inWorld({ answers: [{ id: 'all', made }], topic: made, stores }, work)
  } finally {
    await closeAuditStores(stores)
  }
}

it('a consumer that slept while another stored newer prices puts none back in Cassandra; in InfluxDB the audit finds and mends them', async () => {
  await using cassandra = await openRelay(stackServers().cassandra.port)
  await using influxdb = await openRelay(Number(new URL(stackServers().influxdb.url).port))
  await produce(older.slice(0, count / 2))
  const zombie = world.process(undefined, {
    CRYPTOS_CASSANDRA_HOSTS: `127.0.0.1:${cassandra.port}`,
    CRYPTOS_INFLUXDB_URL: `http://127.0.0.1:${influxdb.port}`,
  })
  await untilBothHold(rows => rows.length > 0)
  // It falls asleep in the middle of the backlog with a write to each store on its way, and its session passes.
  cassandra.hold(piece => piece.length > 2_000)
  influxdb.hold(piece => piece.includes('/write'))
  // Fast as they are, the stores have not got this yet.
  await produce(older.slice(count / 2))
  await until(() => cassandra.isHolding && influxdb.isHolding)
  zombie.child.kill('SIGSTOP')
  for (const store of servedStores) expect((await world.rows(store)).length).toBeLessThan(count)
  await produce(newer)
  const other = world.process()
  await untilBothHold(rows => hashOf(rows) === hashOf(newer))

  await Promise.all([cassandra.release(), influxdb.release()])
  zombie.child.kill('SIGCONT')
  await produce(later)
  await untilBothHold(rows => rows.length === right.length)
  expect([zombie.child.exitCode, other.child.exitCode]).toEqual([null, null])
  for (const running of [zombie, other]) expect((await end(running)).code).toBe(0)

  expect(hashOf(await world.rows('cassandra'))).toBe(hashOf(right))
  expect(await latestOf('cassandra')).toEqual(newestOf(right))
  // InfluxDB takes what comes last: what it has instead of a newer price is the whole older one, and each is told.
  const rows = await world.rows('influxdb')
  const rightOnes = new Set(right.map(q => hashOf([q])))
  const olderOnes = new Set(older.map(q => hashOf([q])))
  const putBack = rows.filter(q => !rightOnes.has(hashOf([q])))
  expect(putBack.filter(q => !olderOnes.has(hashOf([q])))).toEqual([])
  expect(rows.length).toBe(right.length)
  // Its write did come last.
  expect(putBack.length).toBeGreaterThan(0)
  const told = await audited(ports => audit(ports, from, to))
  const wanted = putBack.map(q => `changed influxdb ${quoteId(q)}`)
  expect(told.differences.map(d => `${d.kind} ${d.store} ${d.id}`).toSorted()).toEqual(wanted.toSorted())
  console.log(
    `a consumer that slept beyond its session put ${putBack.length} old prices back in InfluxDB, 0 in Cassandra`,
  )

  await audited(ports => repair(ports, told, to))
  expect(hashOf(await world.rows('influxdb'))).toBe(hashOf(right))
  expect(await latestOf('influxdb')).toEqual(newestOf(right))
}, 300_000)
