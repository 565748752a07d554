import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AssetId, DecimalString, EpochMicros, ProviderId } from '../core/brands.ts'
import type { MarketKind, MarketReader } from '../core/ports/reader.ts'
import type { BatchSource, MarketSink } from '../core/ports/sink.ts'
import { marketRecordAt, marketRecordId, marketRecordVersion, quoteId } from '../core/records.ts'
import type { MarketRecord, Serving, SourceFlag } from '../core/records.ts'
import { dated, marketRecords } from '../topics/market-records.contract.ts'
import type { StoreTraits } from './sink.contract.ts'

export interface MarketStoreUnderTest {
  readonly sink: MarketSink
  readonly reader: MarketReader
  readonly close: () => Promise<void>
}

const noon = Date.UTC(2026, 10, 21, 12) * 1_000
const always = { from: EpochMicros(0), to: EpochMicros(9e15) }
const kinds: readonly MarketKind[] = ['metric', 'gap', 'source-flag', 'consensus', 'serving']

export const marketSource = (first: number, end: number): BatchSource => ({
  ...{ group: 'sink.test.market', topic: 'market.metrics.v1', partition: 0, first, end },
})

export const flagAt = (at: number, more: Partial<SourceFlag> = {}): SourceFlag => ({
  ...{ kind: 'source-flag', provider: ProviderId('kraken'), asset: AssetId('bitcoin'), currency: 'USD' },
  ...{
    observedAt: EpochMicros(at),
    flag: 'frozen-value',
    since: EpochMicros(noon),
    evidence: 'the same for 2 h',
  },
  ...{ receivedAt: EpochMicros(at + 5), origin: 'live' },
  ...more,
})

const nobodyAt = (at: number, more: Partial<Serving> = {}): Serving => ({
  ...{ kind: 'serving', role: 'spot', asset: AssetId('bitcoin'), currency: 'USD', at: EpochMicros(at) },
  ...{ provider: null, price: null, observedAt: null, skipped: [] },
  ...{ receivedAt: EpochMicros(at + 5), origin: 'live' },
  ...more,
})

/** Values of one identity with one version are the same value: that is what a version means. */
const distinct = (list: readonly MarketRecord[]): readonly MarketRecord[] => [
  ...new Map(list.map(r => [`${marketRecordId(r)} ${marketRecordVersion(r)}`, r])).values(),
]

/** The largest version of each identity, in time order. */
function winners(list: readonly MarketRecord[]): readonly MarketRecord[] {
  const best = new Map<string, MarketRecord>()
  for (const record of list) {
    const before = best.get(marketRecordId(record))
    if (!before || marketRecordVersion(record) > marketRecordVersion(before))
      best.set(marketRecordId(record), record)
  }
  return [...best.values()].sort(byTime)
}
const byTime = (a: MarketRecord, b: MarketRecord): number =>
  marketRecordAt(a) - marketRecordAt(b) || (marketRecordId(a) < marketRecordId(b) ? -1 : 1)

/** By hand: what makes a series of each kind. */
function seriesOf(r: MarketRecord): string {
  switch (r.kind) {
    case 'metric':
      return `metric ${r.provider} ${r.name} ${r.currency}`
    case 'gap':
      return `gap ${r.provider} ${r.dataset} ${r.asset} ${r.currency}`
    case 'source-flag':
      return `flag ${r.provider} ${r.asset} ${r.currency} ${r.flag}`
    case 'consensus':
    case 'serving':
      return `${r.kind} ${r.asset} ${r.currency}`
  }
}

function naiveLatest(
  sent: readonly MarketRecord[],
  stored: readonly MarketRecord[],
): readonly MarketRecord[] {
  const newest = new Map<string, number>()
  for (const r of sent)
    if (r.origin === 'live' || r.origin === 'sandbox')
      newest.set(seriesOf(r), Math.max(newest.get(seriesOf(r)) ?? 0, marketRecordAt(r)))
  return stored.filter(r => newest.get(seriesOf(r)) === marketRecordAt(r))
}

/** Few identities, few versions: most of them meet. */
const history = fc
  .array(
    fc.tuple(marketRecords, fc.nat(3), fc.nat(3)).map(([record, at, version]) => ({
      ...dated(record, noon + at * 1_000_000, noon + version),
      ...('revision' in record ? { revision: record.revision % 3 } : {}),
    })),
    { minLength: 1, maxLength: 30 },
  )
  .map(distinct)
const deliveries = history.chain(list =>
  fc.record({
    list: fc.constant(list),
    repeated: fc.array(fc.constantFrom(...list), { maxLength: 30 }),
    shuffled: fc.shuffledSubarray([...list], { minLength: list.length }),
    size: fc.integer({ min: 1, max: 12 }),
  }),
)

/** What every store of records beside quotes must do. */
export function marketSinkContract(
  name: string,
  open: () => Promise<MarketStoreUnderTest>,
  { countsExactly = true, runs }: Omit<StoreTraits, 'feedsChanges' | 'tellsChanges'> = {},
): void {
  describe(`market sink ${name}`, () => {
    let t: MarketStoreUnderTest
    beforeAll(async () => {
      t = await open()
    })
    afterAll(() => t.close())
    const write = (...records: MarketRecord[]) => t.sink.write(records, marketSource(0, records.length))
    const rowsOf = async (kind: MarketKind) => await Array.fromAsync(t.reader.allRecords({ kind, ...always }))

    it('ends in the same rows and latest ones whatever the order, the repeats and the batches', async () => {
      await fc.assert(
        fc.asyncProperty(deliveries, async ({ list, repeated, shuffled, size }) => {
          const own = await open()
          const sent = [...repeated, ...shuffled]
          for (let i = 0; i < sent.length; i += size) {
            const batch = sent.slice(i, i + size)
            const result = await own.sink.write(batch, marketSource(i, i + batch.length))
            expect(result.written + result.superseded).toBe(batch.length)
          }
          const expected = winners(list)
          for (const kind of kinds) {
            const rows = expected.filter(r => r.kind === kind)
            expect(await Array.fromAsync(own.reader.allRecords({ kind, ...always }))).toEqual(rows)
            const latest = await own.reader.latestRecords(kind)
            expect([...latest].sort(byTime)).toEqual(naiveLatest(list, rows))
          }
          await own.close()
        }),
        { numRuns: Number(process.env['PROPERTY_RUNS'] ?? runs ?? 25) },
      )
    }, 600_000)

    it('counts what it wrote and what was superseded, and never goes back to an older version', async () => {
      const [first, newer] = [
        flagAt(noon, { evidence: 'one' }),
        flagAt(noon, { evidence: 'two', receivedAt: EpochMicros(noon + 9) }),
      ]
      const counted = [await write(first), await write(first), await write(newer, first)]
      expect(counted.map(c => c.written + c.superseded)).toEqual([1, 1, 2])
      if (countsExactly) expect(counted.map(c => c.written)).toEqual([1, 0, 1])
      expect(await rowsOf('source-flag')).toEqual([newer])
    })

    it('gives the newest first, or in time order, up to the limit, by each filter', async () => {
      const minute = 60_000_000
      const at = [0, 1, 2].map(i => noon + i * minute)
      const kraken = {
        provider: ProviderId('kraken'),
        price: DecimalString('1'),
        observedAt: EpochMicros(noon),
      }
      const ours = [nobodyAt(at[0]!), nobodyAt(at[1]!, kraken), nobodyAt(at[2]!)]
      await write(
        ...ours,
        nobodyAt(at[1]!, { currency: 'EUR' }),
        nobodyAt(at[1]!, { asset: AssetId('ethereum') }),
      )
      const ask = (more: object) =>
        t.reader.records({
          kind: 'serving',
          ...always,
          limit: 10,
          asset: AssetId('bitcoin'),
          currency: 'USD',
          ...more,
        })
      expect(await ask({})).toEqual([...ours].reverse())
      expect(await ask({ first: 'oldest' })).toEqual(ours)
      expect(await ask({ limit: 2 })).toEqual([ours[2], ours[1]])
      expect(await ask({ limit: 2, first: 'oldest' })).toEqual([ours[0], ours[1]])
      expect(await ask({ from: EpochMicros(at[1]!), to: EpochMicros(at[2]!) })).toEqual([ours[1]])
      expect(await ask({ provider: kraken.provider })).toEqual([ours[1]])
      expect(await ask({ asset: `x' OR '1'='1` as AssetId })).toEqual([])
      expect(
        (await t.reader.latestRecords('serving', { asset: AssetId('bitcoin') })).map(s => s.currency),
      ).toEqual(['EUR', 'USD'])
      expect(await t.reader.latestRecords('serving', { asset: AssetId('bitcoin'), currency: 'USD' })).toEqual(
        [ours[2]],
      )
    })

    it('removes the old ones of a kind, more than a page of them, and keeps the newest of each series', async () => {
      const asset = AssetId('test:pruned')
      const old = Array.from({ length: 2_100 }, (_, i) => nobodyAt(noon + i, { asset }))
      const [fresh, alone] = [nobodyAt(noon + 9_000, { asset }), nobodyAt(noon, { asset, currency: 'EUR' })]
      const flag = flagAt(noon, { asset })
      await write(...old, fresh, alone, flag)
      const before = EpochMicros(noon + 5_000)
      const left = async () => (await rowsOf('serving')).filter(r => 'asset' in r && r.asset === asset)
      expect(await t.sink.prune(['serving'], before)).toBeGreaterThanOrEqual(2_100)
      expect(await left()).toEqual([alone, fresh])
      expect(await t.sink.prune(['serving', 'consensus'], before)).toBe(0)
      expect((await rowsOf('source-flag')).some(r => r.kind === 'source-flag' && r.asset === asset)).toBe(
        true,
      )
      expect(await t.reader.latestRecords('serving', { asset, currency: 'EUR' })).toEqual([alone])
    })

    it('gives the doubts about the quotes of a range, in time order, more than a page of them', async () => {
      const asset = AssetId('test:flags')
      const flags = Array.from({ length: 2_100 }, (_, i) => flagAt(noon + i, { asset }))
      const other = flagAt(noon + 3, { asset, flag: 'outlier' })
      await write(...flags, other, flagAt(noon + 3, { asset, provider: ProviderId('coinbase') }))
      const found = await t.reader.flagsOf({
        asset,
        currency: 'USD',
        provider: ProviderId('kraken'),
        from: EpochMicros(noon),
        to: EpochMicros(noon + 2_099),
      })
      expect(found).toHaveLength(2_100)
      expect(found.filter(f => quoteId(f) === quoteId(other)).map(f => f.flag)).toEqual([
        'frozen-value',
        'outlier',
      ])
      expect(found.map(f => f.observedAt)).toEqual([...found.map(f => f.observedAt)].sort((a, b) => a - b))
    })

    it('never takes a backfilled record for the latest', async () => {
      const asset = AssetId('test:latest')
      const live = nobodyAt(noon, { asset })
      await write(live, nobodyAt(noon + 60_000_000, { asset, origin: 'backfill' }))
      expect(await t.reader.latestRecords('serving', { asset })).toEqual([live])
    })

    it('remembers the place behind the batch of each group and partition, also for an empty batch', async () => {
      if (!t.sink.position) return
      const where = { group: 'g.market', topic: 'x', first: 0 }
      expect(await t.sink.position('g.market', 'x', 1)).toBeUndefined()
      await t.sink.write([nobodyAt(noon)], { ...where, partition: 1, end: 7 })
      await t.sink.write([], { ...where, partition: 2, end: 9 })
      expect(await t.sink.position('g.market', 'x', 1)).toBe(7)
      expect(await t.sink.position('g.market', 'x', 2)).toBe(9)
      expect(await t.sink.position('other', 'x', 1)).toBeUndefined()
    })
  })
}
