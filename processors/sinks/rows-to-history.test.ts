import { Decimal } from 'decimal.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AssetId, EpochMicros, ProviderId } from '../../core/brands.ts'
import type { HistoryQuery } from '../../core/ports/reader.ts'
import type { Origin, Quote } from '../../core/records.ts'
import { DAY, HOUR, MINUTE } from '../../core/time.ts'
import { positiveDecimals } from '../../topics/records.contract.ts'
import { comparable, naiveBars, naiveLatest, winners } from '../naive.contract.ts'
import { quote } from '../sink.contract.ts'
import { bySeries, historyFromRows, historyPlan, latestFromRows, saysNow } from './rows-to-history.ts'

const noon = Date.UTC(2026, 10, 21, 12) * 1_000
const times = fc
  .tuple(fc.constantFrom(0, 1, 24), fc.nat(2), fc.constantFrom(0, 1, 59_999_999))
  .map(([h, m, u]) => EpochMicros(noon + h * HOUR * 1_000 + m * MINUTE * 1_000 + u))
const rows = fc.array(
  fc
    .record({
      provider: fc.constantFrom('kraken', 'coinbase').map(ProviderId),
      observedAt: times,
      price: positiveDecimals,
      receivedAt: fc.nat(1_000).map(n => EpochMicros(noon + n)),
      origin: fc.constantFrom<Origin>('live', 'backfill', 'replay'),
    })
    .map(q => quote(q)),
  { minLength: 1, maxLength: 30 },
)
const query = (more: Partial<HistoryQuery> = {}): HistoryQuery => ({
  ...{ asset: AssetId('bitcoin'), currency: 'USD', stepMs: MINUTE },
  ...{ from: EpochMicros(noon), to: EpochMicros(noon + 2 * DAY * 1_000) },
  ...more,
})

async function* each(list: readonly Quote[]): AsyncIterable<Quote> {
  yield* list
}

describe('history out of rows', () => {
  it('is that of the slow and obvious way, whatever the order of the rows', async () => {
    Decimal.set({ precision: 100 })
    await fc.assert(
      fc.asyncProperty(rows, fc.infiniteStream(fc.nat()), async (list, ranks) => {
        const stored = winners(list)
        const mixed = [...stored].map(q => ({ q, rank: ranks.next().value as number }))
        mixed.sort((a, b) => a.rank - b.rank)
        for (const stepMs of [MINUTE, HOUR, DAY]) {
          const found = await historyFromRows(query({ stepMs }), () => each(mixed.map(m => m.q)))
          expect(found.stepMs).toBe(stepMs)
          expect(comparable(found.points)).toEqual(comparable(naiveBars(stored, stepMs)))
        }
      }),
    )
  })

  it('takes the nearest width that is not finer and not too long, in whole buckets', () => {
    const widths = [1, MINUTE, MINUTE + 1, HOUR + 1, 30 * DAY].map(
      stepMs => historyPlan(query({ stepMs })).stepMs,
    )
    expect(widths).toEqual([MINUTE, MINUTE, HOUR, DAY, DAY])
    expect(historyPlan(query({ to: EpochMicros(noon + 20 * DAY * 1_000) })).stepMs).toBe(HOUR)
    const odd = { from: EpochMicros(noon + 1), to: EpochMicros(noon + 61_000_000) }
    expect(historyPlan(query(odd))).toEqual({ stepMs: MINUTE, from: noon, to: noon + 120_000_000 })
  })

  it('leaves out what lies outside its buckets', async () => {
    const at = [noon - 1, noon, noon + 59_999_999, noon + 60_000_000].map(t =>
      quote({ observedAt: EpochMicros(t) }),
    )
    const one = query({ to: EpochMicros(noon + 30_000_000) })
    expect((await historyFromRows(one, () => each(at))).points.map(p => p.count)).toEqual([2])
  })
})

describe('latest prices out of rows', () => {
  it('are what the store holds for the newest time that a live row claimed', () => {
    fc.assert(
      fc.property(rows, list => {
        const stored = winners(list)
        const marks = [...Map.groupBy(list.filter(saysNow), q => q.provider).values()].map(group =>
          group.reduce((newest, q) => (q.observedAt > newest.observedAt ? q : newest)),
        )
        expect(latestFromRows(marks, stored)).toEqual(naiveLatest(list, stored))
      }),
    )
  })

  it('leave out a mark without a row, and come in the order provider, asset, currency', () => {
    const [a, b] = [quote({ currency: 'EUR' }), quote({ provider: ProviderId('coinbase') })]
    expect(latestFromRows([a, quote({ observedAt: EpochMicros(1) }), b], [a, b, quote()])).toHaveLength(2)
    expect([quote(), a, b].sort(bySeries)).toEqual([b, a, quote()])
  })
})
