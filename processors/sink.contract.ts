import { Decimal } from 'decimal.js'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AssetId, EpochMicros, ProviderId } from '../core/brands.ts'
import type { Credits } from '../core/brands.ts'
import type { QuoteReader } from '../core/ports/reader.ts'
import type { BatchSource, QuoteSink } from '../core/ports/sink.ts'
import { quoteId, quoteVersion } from '../core/records.ts'
import type { Origin, Quote } from '../core/records.ts'
import { DAY, HOUR, MINUTE } from '../core/time.ts'
import { at, comparable, naiveBars, naiveLatest, winners } from './naive.contract.ts'
import { positiveDecimals, quotes } from '../topics/records.contract.ts'

/** One open store. */
export interface SinkUnderTest {
  readonly sink: QuoteSink
  readonly reader: QuoteReader
  /** Resolves when the reader sees all that was written. */
  readonly settle: () => Promise<void>
  readonly close: () => Promise<void>
}

/** Where a server differs from a store in this process. Absent = as the embedded store. */
export interface StoreTraits {
  /** false: the server does not tell what was there before; only the sum of written and superseded is promised. */
  readonly countsExactly?: boolean
  /** false: changes are told as what is newer now, not as each commit that was. */
  readonly feedsChanges?: boolean
  /** false: the store tells of no change; who wants to know asks for the latest prices. */
  readonly tellsChanges?: boolean
  /** Times before are refused by the store. */
  readonly earliest?: EpochMicros
  /** Runs of each property, unless PROPERTY_RUNS says so. */
  readonly runs?: number
}

const from = EpochMicros(0)
const to = EpochMicros(9_000_000_000_000_000)
const noon = Date.UTC(2026, 10, 21, 12) * 1_000
export const sourceAt = (first: number, end: number): BatchSource => ({
  group: 'sink.test',
  topic: 'market.quotes.v1',
  partition: 0,
  first,
  end,
})

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

export const quote = (more: Partial<Quote> = {}): Quote => ({
  kind: 'quote',
  provider: ProviderId('kraken'),
  asset: AssetId('bitcoin'),
  symbol: 'BTC',
  sourceId: 'XXBTZUSD',
  currency: 'USD',
  price: '84278.77808276' as Quote['price'],
  observedAt: EpochMicros(noon),
  observedBy: 'source',
  receivedAt: EpochMicros(noon + 500),
  revision: 0,
  origin: 'live',
  runId: 'run-1',
  credits: 1 as Credits,
  rawRef: 'kraken/quotes/x#1',
  ...more,
})

/** Values of one identity with the same version are the same value: that is what a version means. */
function distinct(list: readonly Quote[]): readonly Quote[] {
  return [...new Map(list.map(q => [`${quoteId(q)} ${quoteVersion(q)}`, q])).values()]
}

/** Times that share minutes, hours and days, some exactly on a border. */
const times = fc
  .tuple(fc.constantFrom(0, 1, 24), fc.nat(2), fc.constantFrom(0, 1, 30_000_000, 59_999_999))
  .map(([h, m, u]) => EpochMicros(noon + h * HOUR * 1_000 + m * MINUTE * 1_000 + u))
const history = fc
  .array(
    fc.record({
      provider: fc.constantFrom('kraken', 'coinbase').map(ProviderId),
      observedAt: times,
      price: positiveDecimals,
      receivedAt: fc.integer({ min: 0, max: 3 }).map(n => EpochMicros(noon + n * 10)),
      revision: fc.nat(2),
      origin: fc.constantFrom<Origin>('live', 'live', 'backfill', 'replay'),
      symbol: fc.constantFrom('BTC', 'XBT'),
    }),
    { minLength: 1, maxLength: 30 },
  )
  .map(list => distinct(list.map(q => quote(q))))
/** Every quote one to three times, in any order, cut into batches, with a settled store after some of them. */
const deliveries = history.chain(list =>
  fc.record({
    list: fc.constant(list),
    order: fc.array(fc.nat(list.length - 1), { maxLength: 40 }),
    shuffled: fc.shuffledSubarray([...list], { minLength: list.length }),
    cuts: fc.array(fc.record({ size: fc.integer({ min: 1, max: 12 }), settle: fc.boolean() }), {
      minLength: 1,
    }),
  }),
)

/** What every sink with a reader must do. */
export function sinkContract(
  name: string,
  open: () => Promise<SinkUnderTest>,
  traits: StoreTraits = {},
): void {
  const { countsExactly = true, feedsChanges = true, tellsChanges = true } = traits
  const { earliest = EpochMicros(0), runs } = traits
  describe(`sink ${name}`, () => {
    let t: SinkUnderTest
    let assets = 0
    beforeAll(async () => {
      Decimal.set({ precision: 100 })
      t = await open()
    })
    afterAll(() => t.close())
    const newAsset = (): AssetId => {
      assets += 1
      return AssetId(`test:${assets}`)
    }
    const rowsOf = (asset: AssetId): Promise<Quote[]> => all(t.reader.rows({ asset, from, to }))

    it('ends in the same rows, roll-ups and latest prices whatever the order, the repeats and the batches', async () => {
      await fc.assert(
        fc.asyncProperty(deliveries, async ({ list, order, shuffled, cuts }) => {
          const asset = newAsset()
          const named = (q: Quote): Quote => ({ ...q, asset })
          const sent = [...order.map(i => at(list, i)), ...shuffled].map(named)
          const expected = winners(list.map(named))
          let sentSoFar = 0
          let latestAt = 0
          for (let i = 0; sentSoFar < sent.length; i += 1) {
            const { size, settle } = at(cuts, i % cuts.length)
            const batch = sent.slice(sentSoFar, sentSoFar + size)
            const result = await t.sink.write(batch, sourceAt(sentSoFar, sentSoFar + batch.length))
            expect(result.written + result.superseded).toBe(batch.length)
            sentSoFar += batch.length
            if (!settle) continue
            await t.settle()
            const [kraken] = (await t.reader.latest({ asset })).filter(p => p.provider === 'kraken')
            expect(kraken?.observedAt ?? 0).toBeGreaterThanOrEqual(latestAt)
            latestAt = kraken?.observedAt ?? 0
          }
          await t.settle()
          expect(await rowsOf(asset)).toEqual(expected)
          for (const stepMs of [MINUTE, HOUR, DAY]) {
            const query = { asset, currency: 'USD', from: EpochMicros(noon - DAY * 1_000), stepMs }
            const found = await t.reader.history({ ...query, to: EpochMicros(noon + 3 * DAY * 1_000) })
            expect(found.stepMs).toBe(stepMs)
            expect(comparable(found.points)).toEqual(comparable(naiveBars(expected, stepMs)))
          }
          expect(await t.reader.latest({ asset })).toEqual(naiveLatest(list.map(named), expected))
        }),
        { numRuns: Number(process.env['PROPERTY_RUNS'] ?? runs ?? 80) },
      )
    }, 600_000)

    it('gives back every quote exactly as it was', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(quotes, { minLength: 1, maxLength: 20 }), async list => {
          const asset = newAsset()
          const named = (q: Quote): Quote => ({ ...q, asset, currency: 'USD' })
          const taken = (q: Quote): Quote => ({
            ...q,
            observedAt: EpochMicros(Math.max(q.observedAt, earliest)),
          })
          const sent = winners(distinct(list.map(q => taken(named(q)))))
          await t.sink.write(sent, sourceAt(0, sent.length))
          expect(await rowsOf(asset)).toEqual(sent)
        }),
        { numRuns: Math.min(40, runs ?? 40) },
      )
    })

    it('counts what it wrote and what was superseded by an equal or newer version', async () => {
      const asset = newAsset()
      const first = quote({ asset, price: '1' as Quote['price'] })
      const newer = quote({ asset, price: '2' as Quote['price'], revision: 1 })
      const counted = [
        await t.sink.write([first], sourceAt(0, 1)),
        await t.sink.write([first], sourceAt(1, 2)),
        await t.sink.write([newer], sourceAt(2, 3)),
        await t.sink.write([first, newer], sourceAt(3, 5)),
      ]
      expect(counted.map(c => c.written + c.superseded)).toEqual([1, 1, 1, 2])
      if (countsExactly) expect(counted.map(c => c.written)).toEqual([1, 0, 1, 0])
      expect(await rowsOf(asset)).toEqual([newer])
    })

    it('never takes a backfilled or replayed row for the latest price', async () => {
      const asset = newAsset()
      const live = quote({ asset })
      const later = EpochMicros(noon + 5_000_000)
      await t.sink.write(
        [live, quote({ asset, observedAt: later, origin: 'backfill' })].map(q => ({ ...q, asset })),
        sourceAt(0, 2),
      )
      await t.settle()
      expect((await t.reader.latest({ asset })).map(p => p.observedAt)).toEqual([live.observedAt])
      expect(await rowsOf(asset)).toHaveLength(2)
    })

    it('takes any name as it is: a quote, a semicolon, markup, another script, a separator', async () => {
      const names = [
        `'; DROP TABLE quote; --`,
        `" OR 1=1 --`,
        '<img src=x onerror=alert(1)>',
        'a,b c=d\\',
        'Robert%00|USD',
        '🚀 до луны',
        '{"json":1}',
        '__proto__',
        '1e5',
        'NULL',
      ]
      const asset = newAsset()
      const sent = names.map((text, i) =>
        quote({
          asset,
          symbol: text,
          sourceId: text,
          runId: text,
          rawRef: text,
          observedAt: EpochMicros(noon + i),
        }),
      )
      await t.sink.write(sent, sourceAt(0, sent.length))
      await t.settle()
      expect(await rowsOf(asset)).toEqual(sent)
      expect((await t.reader.latest({ asset }))[0]?.symbol).toBe('NULL')
      const odd = `x' OR '1'='1` as AssetId
      expect(await t.reader.latest({ asset: odd })).toEqual([])
      expect(await all(t.reader.rows({ asset: odd, from, to }))).toEqual([])
    })

    it.runIf(tellsChanges)('tells what changed since an id, and nothing where nothing did', async () => {
      const asset = newAsset()
      const before = await t.reader.newestChange()
      const receivedAt = EpochMicros(Math.max(before, noon) + 1_000)
      await t.sink.write([quote({ asset, receivedAt })], sourceAt(0, 1))
      await t.settle()
      const [change, ...more] = await t.reader.changes(before, 10)
      expect(more).toEqual([])
      expect(change?.prices.map(p => p.asset)).toEqual([asset])
      expect(change?.id).toBeGreaterThan(before)
      expect(await t.reader.newestChange()).toBe(change?.id)
      expect(await t.reader.oldestChange()).toBeLessThanOrEqual(change?.id ?? 0)
      expect(await t.reader.changes(change?.id ?? 0, 10)).toEqual([])
    })

    it.runIf(!tellsChanges)('tells of no change, and that no client is too far behind', async () => {
      await t.sink.write([quote({ asset: newAsset() })], sourceAt(0, 1))
      await t.settle()
      expect(await t.reader.changes(0, 10)).toEqual([])
      expect([await t.reader.newestChange(), await t.reader.oldestChange()]).toEqual([0, 0])
    })

    it.runIf(feedsChanges)(
      'feeds changes with growing ids, oldest first, none without a change',
      async () => {
        const asset = newAsset()
        const before = await t.reader.newestChange()
        await t.sink.write([quote({ asset })], sourceAt(0, 1))
        await t.settle()
        await t.sink.write([quote({ asset, observedAt: EpochMicros(noon + 9) })], sourceAt(1, 2))
        await t.settle()
        const changes = await t.reader.changes(before, 10)
        expect(changes).toHaveLength(2)
        expect(at(changes, 0).id).toBeGreaterThan(before)
        expect(at(changes, 1).id).toBeGreaterThan(at(changes, 0).id)
        expect(at(changes, 1).prices.map(p => [p.asset, p.observedAt])).toEqual([[asset, noon + 9]])
        expect(await t.reader.newestChange()).toBe(at(changes, 1).id)
        expect(await t.reader.oldestChange()).toBeLessThanOrEqual(at(changes, 0).id)
        await t.sink.write([quote({ asset })], sourceAt(2, 3))
        await t.settle()
        expect(await t.reader.changes(at(changes, 1).id, 10)).toEqual([])
        expect(await t.reader.changes(before, 1)).toEqual([changes[0]])
      },
    )

    it('takes the nearest roll-up that is not finer, and filters by provider and range', async () => {
      const asset = newAsset()
      const minute = (minutes: number, provider = 'kraken'): Quote =>
        quote({
          asset,
          provider: ProviderId(provider),
          observedAt: EpochMicros(noon + minutes * MINUTE * 1_000),
        })
      await t.sink.write([minute(0), minute(1), minute(2), minute(1, 'coinbase')], sourceAt(0, 4))
      await t.settle()
      const ask = (more: object) =>
        t.reader.history({
          asset,
          currency: 'USD',
          from: EpochMicros(noon),
          to: EpochMicros(noon + HOUR * 1_000),
          stepMs: MINUTE,
          ...more,
        })
      expect((await ask({})).points).toHaveLength(4)
      expect((await ask({ provider: ProviderId('kraken') })).points.map(p => p.time)).toEqual(
        [0, 1, 2].map(m => noon + m * MINUTE * 1_000),
      )
      const range = { from: EpochMicros(noon + MINUTE * 1_000), to: EpochMicros(noon + 2 * MINUTE * 1_000) }
      expect((await ask({ ...range, provider: ProviderId('kraken') })).points).toHaveLength(1)
      expect((await ask({ currency: 'EUR' })).points).toEqual([])
      const steps = await Promise.all([1, 60_001, HOUR, HOUR + 1, 30 * DAY].map(stepMs => ask({ stepMs })))
      expect(steps.map(s => s.stepMs)).toEqual([MINUTE, HOUR, HOUR, DAY, DAY])
    })

    it('remembers the place behind the batch of each group and partition, also for an empty batch', async () => {
      if (!t.sink.position) return
      const where = { group: 'g', topic: 'x', first: 0 }
      expect(await t.sink.position('g', 'x', 1)).toBeUndefined()
      await t.sink.write([quote({ asset: newAsset() })], { ...where, partition: 1, end: 7 })
      await t.sink.write([], { ...where, partition: 2, end: 9 })
      expect(await t.sink.position('g', 'x', 1)).toBe(7)
      expect(await t.sink.position('g', 'x', 2)).toBe(9)
      expect(await t.sink.position('other', 'x', 1)).toBeUndefined()
    })
  })
}
