import { beforeEach, describe, expect, it } from 'vitest'
import { AssetId, DecimalString, EpochMicros, ProviderId } from '../../core/brands.ts'
import type { Quote } from '../../core/records.ts'
import { quoteJson } from '../../topics/codecs/quote-json.ts'
import { compare } from './compare.ts'
import { Ids } from './ids.ts'
import { type QuoteSide, quoteSide } from './side.ts'

const noon = Date.UTC(2026, 10, 21, 12) * 1_000
const quote = (minute: number, price = '64000.10', receivedMs = 0): Quote =>
  ({
    kind: 'quote',
    provider: ProviderId('kraken'),
    asset: AssetId('bitcoin'),
    sourceId: 'XXBTZUSD',
    symbol: 'BTC',
    currency: 'USD',
    price: DecimalString(price),
    observedAt: EpochMicros(noon + minute * 60_000_000),
    receivedAt: EpochMicros(noon + minute * 60_000_000 + receivedMs * 1_000),
    origin: 'live',
    runId: 'run',
    credits: 0,
    rawRef: 'raw',
    revision: 0,
  }) as unknown as Quote

let ids = new Ids()
beforeEach(() => {
  ids = new Ids()
})

function side(name: string, ...quotes: Quote[]): QuoteSide {
  const made = quoteSide(name, q => quoteJson.encode(q), ids)
  for (const q of quotes) made.add(q)
  return made
}
const none = new Set<string>()
const all = [quote(1), quote(2), quote(61)]

describe('the audit', () => {
  it('finds no difference between equal rows in any order, seen twice or not', () => {
    const turned = side('store', ...all.toReversed(), ...all)
    expect(compare(side('answers', ...all), turned, none)).toEqual([])
    expect(turned.countGroups()).toBe(side('answers', ...all.toReversed()).countGroups())
    expect(turned.rows).toBe(6)
  })
  it('finds one deleted row', () => {
    const found = compare(side('answers', ...all), side('store', ...all.slice(1)), none)
    expect(found).toMatchObject([{ kind: 'missing', in: 'store', group: 'kraken bitcoin 2026-11-21T12Z' }])
  })
  it('finds one extra row', () => {
    const found = compare(side('answers', ...all), side('store', ...all, quote(5)), none)
    expect(found).toMatchObject([{ kind: 'extra', in: 'store' }])
  })
  it('finds one changed digit, even a trailing zero', () => {
    for (const price of ['64000.11', '64000.1', '64000.100']) {
      const found = compare(side('answers', ...all), side('store', quote(1, price), ...all.slice(1)), none)
      expect(found).toMatchObject([{ kind: 'changed', in: 'store' }])
    }
  })
  it('counts by provider, asset and hour', () => {
    const x = side('x', ...all)
    expect([...x.ids()].map(id => x.groupOf(id))).toEqual([
      'kraken bitcoin 2026-11-21T12Z',
      'kraken bitcoin 2026-11-21T12Z',
      'kraken bitcoin 2026-11-21T13Z',
    ])
    expect(x.countGroups()).toBe(2)
  })
  it('keeps the newest version of an identity, whichever came first', () => {
    const old = quote(1, '1', 1)
    const young = quote(1, '2', 2)
    expect(compare(side('a', old, young), side('b', young, old), none)).toEqual([])
    expect(compare(side('a', young), side('b', old), none)).toMatchObject([{ kind: 'changed' }])
  })
  it('does not miss what is still on its way, but sees a change of what arrived elsewhere', () => {
    const answers = side('answers', ...all)
    const [id = ''] = answers.ids()
    expect(compare(answers, side('store', ...all.slice(1)), new Set([id]))).toEqual([])
    expect(compare(answers, side('store', ...all.slice(1)), none)).toHaveLength(1)
  })
})
