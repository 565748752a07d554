import cassandra from 'cassandra-driver'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EpochMicros } from '../../../core/brands.ts'
import { marketRecordAt, marketRecordId } from '../../../core/records.ts'
import type { MarketRecord, Origin, Quote } from '../../../core/records.ts'
import { systemClock } from '../../../host/clock.ts'
import { marketRecords } from '../../../topics/market-records.contract.ts'
import { quotes } from '../../../topics/records.contract.ts'
import { quote } from '../../sink.contract.ts'
import { insertRecord, marketSeriesOf, placeOf, placeOfId, shardOf } from './market-rows.ts'
import { merge } from './merge.ts'
import { dayOf, hourOf, monthOf, monthsWithin } from './months.ts'
import { insertQuote, priceOf, quoteOf, quoteParams } from './quote-rows.ts'
import { PartitionRows, SeriesBook } from './quote-series.ts'
import type { Row, Value } from './session.ts'

const { BigDecimal, Long } = cassandra.types
const columnsIn = (query: string): string[] =>
  /\(([^)]*)\) VALUES/
    .exec(query)?.[1]
    ?.split(',')
    .map(name => name.trim()) ?? []

/** What the driver would give back of an insert. */
function rowOf(query: string, params: readonly Value[]): Row {
  const read = (value: Value, name: string): unknown => {
    if (!Buffer.isBuffer(value)) return value ?? null
    if (name.endsWith('_at')) return Number(value.readBigInt64BE())
    if (name === 'month') return value.readInt32BE()
    return ['provider', 'asset', 'currency'].includes(name) ? value.toString() : BigDecimal.fromBuffer(value)
  }
  return Object.fromEntries(
    columnsIn(query).map((name, i) => [name, read(params[i], name)]),
  ) as unknown as Row
}

describe('a row of a quote', () => {
  const query = insertQuote('k')
  const book = new SeriesBook(systemClock)
  const cellsOf = (quote: Quote) => rowOf(query, quoteParams(quote, book.partitionOf(quote)))

  it('gives back the very quote, whatever an older version left in columns that this one does not have', () => {
    fc.assert(
      fc.property(quotes, quotes, (older, quote) => {
        const said = Object.entries(cellsOf(quote)).filter(([, v]) => v !== null)
        const row = { ...cellsOf(older), ...Object.fromEntries(said) } as Row
        expect(quoteOf(row, quote)).toEqual(quote)
        expect(priceOf(row)).toBe(quote.price)
      }),
    )
  })

  it('gives back one of two quotes with one version, whichever of them each column is of', () => {
    fc.assert(
      fc.property(
        quotes,
        quotes,
        fc.array(fc.boolean(), { minLength: 13, maxLength: 13 }),
        (a, other, mask) => {
          const b = { ...other, provider: a.provider, asset: a.asset, currency: a.currency }
          const tied = { ...b, observedAt: a.observedAt }
          const [first, second] = [Object.entries(cellsOf(a)), cellsOf(tied)]
          const mixed = first.map(([name, value], i) => [name, mask[i] ? value : second[name]])
          const row = Object.fromEntries(mixed) as Row
          const read = quoteOf(row, a)
          expect([a, tied]).toContainEqual(read)
          expect(priceOf(row)).toBe(read.price)
        },
      ),
    )
  })

  it('has its numbers beside it, for charts and CQL', () => {
    fc.assert(
      fc.property(quotes, quote => {
        const row = cellsOf(quote)
        const change = quote.change24h
        // The driver reads 1E+1 as 1.
        if (!/e/i.test(quote.price)) expect(Number(String(row['price']))).toBe(Number(row['price_double']))
        expect(row['change_24h'] === null).toBe(change === undefined)
        expect(Number(row['received_at'])).toBe(quote.receivedAt)
      }),
    )
  })

  it('has a parameter for each question mark', () => {
    fc.assert(
      fc.property(quotes, quote => {
        expect(quoteParams(quote, book.partitionOf(quote))).toHaveLength(query.split('?').length - 1)
      }),
      { numRuns: 10 },
    )
  })
})

describe('the rows of a partition', () => {
  it('are those of the larger version of each moment, in any order', () => {
    const at = (observedAt: number, receivedAt: number, origin: Origin) =>
      quote({ observedAt: EpochMicros(observedAt), receivedAt: EpochMicros(receivedAt), origin })
    const some = fc.array(
      fc.tuple(fc.nat(6), fc.nat(4), fc.constantFrom<Origin>('live', 'backfill')).map(parts => at(...parts)),
    )
    fc.assert(
      fc.property(some, list => {
        const part = new PartitionRows()
        for (const q of list) part.add(q)
        const best = new Map<number, Quote>()
        for (const q of list)
          if (!best.has(q.observedAt) || q.receivedAt > (best.get(q.observedAt)?.receivedAt ?? 0))
            best.set(q.observedAt, q)
        const inOrder = (rows: readonly Quote[]) => [...rows].sort((a, b) => a.observedAt - b.observedAt)
        expect(inOrder(part.rows)).toEqual(inOrder([...best.values()]))
        const live = list.filter(q => q.origin === 'live').map(q => q.observedAt)
        expect(part.liveAt).toBe(Math.max(-1, ...live))
      }),
    )
  })
})

describe('a record beside quotes', () => {
  it('lies where its id alone says', () => {
    fc.assert(
      fc.property(marketRecords, record => {
        expect(placeOfId(marketRecordId(record))).toEqual(placeOf(record))
      }),
    )
    for (const id of ['', 'x', 'gap', 'gap|a|b|c|d|e', '__proto__|a|1', 'flag|x', 'consensus|a|b|-1'])
      expect(placeOfId(id)).toBeUndefined()
  })

  it('has a parameter for each question mark and a series without its time', () => {
    fc.assert(
      fc.property(marketRecords, record => {
        const { query, params } = insertRecord('k', record, placeOf(record))
        expect(params).toHaveLength(query.split('?').length - 1)
        const later = { ...record, at: 1, observedAt: 1, expectedAt: 1 } as unknown as MarketRecord
        expect(marketRecordAt(later)).toBe(1)
        expect(marketSeriesOf(later)).toBe(marketSeriesOf(record))
      }),
    )
  })

  it('stays in the shard that it was once in', () => {
    expect(['bitcoin', 'ethereum', 'coinmarketcap:32994', 'assets', ''].map(shardOf)).toEqual([5, 0, 3, 0, 5])
  })
})

describe('parts of time', () => {
  it('are those of UTC', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000_000_000 }), n => {
        const date = new Date(n / 1_000)
        const at = EpochMicros(n)
        expect(monthOf(at)).toBe(Number(date.toISOString().slice(0, 7).replace('-', '')))
        expect([dayOf(at), hourOf(at)]).toEqual([Math.floor(n / 86_400e6), Math.floor(n / 3_600e6)])
      }),
    )
  })

  it('cover a range and no more', () => {
    const at = (text: string) => EpochMicros(Date.parse(text) * 1_000)
    const months = [202612, 202611, 202701, 202610]
    expect(monthsWithin(months, at('2026-11-30T23:59:59Z'), at('2027-01-01T00:00:00Z'))).toEqual([
      202611, 202612,
    ])
    expect(monthsWithin(months, at('2026-11-30T00:00:00Z'), at('2026-11-30T00:00:00Z'))).toEqual([])
  })
})

async function* each(list: readonly number[], ended: { count: number }): AsyncIterable<number> {
  try {
    yield* list
  } finally {
    ended.count += 1
  }
}

describe('merge', () => {
  it('gives sequences in order as one in order, and ends all of them, also when it is left early', async () => {
    const lists = fc.array(
      fc.array(fc.nat(50)).map(list => list.sort((a, b) => a - b)),
      { maxLength: 5 },
    )
    await fc.assert(
      fc.asyncProperty(lists, fc.nat(5), async (sources, most) => {
        const ended = { count: 0 }
        const all = await Array.fromAsync(
          merge(
            sources.map(list => each(list, ended)),
            (a, b) => a < b,
          ),
        )
        expect(all).toEqual(sources.flat().sort((a, b) => a - b))
        expect(ended.count).toBe(sources.length)
        let taken = 0
        for await (const _ of merge(
          sources.map(list => each(list, ended)),
          (a, b) => a < b,
        )) {
          taken += 1
          if (taken > most) break
        }
        expect(ended.count).toBe(2 * sources.length)
      }),
    )
  })
})

it('takes what the driver calls a long for a number', () => {
  expect(Number(Long.fromString('4000000000000001'))).toBe(4_000_000_000_000_001)
})
