import { expect, it } from 'vitest'
import { type MarketRecord, marketRecordAt, marketRecordId, quoteId } from '../../core/records.ts'
import { quote } from './world.contract.ts'
import { marketIdParts, quoteIdParts } from './groups.ts'

const at = quote(1e15 as never, 1e15 as never).observedAt

it('reads of the id of a price what the price is of', () => {
  const of = quote(at, at)
  expect(quoteIdParts(quoteId(of))).toEqual({ who: of.provider, what: of.asset, at })
})

it.each([
  ['metric', { name: 'btc-dominance', observedAt: at }, ['kraken', 'btc-dominance']],
  ['gap', { dataset: 'quotes', expectedAt: at }, ['kraken', 'kraken:XBT']],
  ['source-flag', { observedAt: at, flag: 'outlier' }, ['kraken', 'kraken:XBT']],
  ['consensus', { at }, ['consensus', 'kraken:XBT']],
  ['serving', { at, role: 'spot' }, ['serving', 'kraken:XBT']],
])('reads of the id of a %s what it is of', (kind, more, [who, what]) => {
  const record = {
    ...{ kind, provider: 'kraken', asset: 'kraken:XBT', currency: 'USD' },
    ...more,
  } as unknown as MarketRecord
  expect(marketIdParts(marketRecordId(record))).toEqual({ who, what, at })
  expect(marketRecordAt(record)).toBe(at)
})
