import { describe, expect, it } from 'vitest'
import { parseIso } from '../../../core/time.ts'
import { openTestSandbox } from '../../../sandbox/testing.ts'
import { coinbase } from './index.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const receivedAt = parseIso('2026-10-05T08:31:13Z')
const { catalog } = coinbase
if (!catalog) throw new Error('no catalog')
const answer = (text: string, status = 200) => ({ status, headers: {}, body: bytes(text), receivedAt })
const product = (more: object) => ({
  ...{ id: 'BTC-USD', base_currency: 'BTC', quote_currency: 'USD', status: 'online' },
  ...{ trading_disabled: false, ...more },
})
const read = (...products: unknown[]) =>
  catalog.read(bytes(JSON.stringify(products))).map(e => [e.sourceId, e.symbol, e.currency, e.isActive])

describe('the list of products of Coinbase', () => {
  it('names product, base and currency, and says which are traded', () => {
    const euro = { id: 'ETH-EUR', base_currency: 'ETH', quote_currency: 'EUR' }
    expect(
      read(product({}), product({ ...euro, status: 'delisted' }), product({ trading_disabled: true })),
    ).toEqual([
      ['BTC-USD', 'BTC', 'USD', true],
      ['ETH-EUR', 'ETH', 'EUR', false],
      ['BTC-USD', 'BTC', 'USD', false],
    ])
  })

  it('proposes nothing from a row whose names do not fit together', () => {
    const wrong = [{ quote_currency: 'EUR' }, { base_currency: null }, { id: 'BTC-USD-PERP' }, { id: 1 }]
    expect(read(...wrong.map(product), null, 'BTC-USD')).toEqual([])
    expect(() => catalog.read(bytes('{"id":"BTC-USD"}'))).toThrow(/\$: wanted an array/)
  })

  it('is a list, and refused like any answer', () => {
    expect(catalog.judge(answer('[]'))).toMatchObject({ kind: 'answered' })
    expect(catalog.judge(answer('[]', 500))).toMatchObject({ outcome: 'provider-error' })
    expect(catalog.judge(answer('{"id":"BTC-USD"}'))).toMatchObject({ kind: 'refused' })
    const slow = answer('{"message":"Public rate limit exceeded"}', 429)
    expect(catalog.judge(slow)).toMatchObject({ outcome: 'rate-limited' })
  })

  it('has every product of the table as the twin has it', async () => {
    await using box = await openTestSandbox()
    const { text, status } = await box.get(`/coinbase${catalog.request().path}`)
    expect(catalog.judge(answer(text, status))).toMatchObject({ kind: 'answered' })
    const entries = new Map(catalog.read(bytes(text)).map(e => [e.sourceId, e]))
    for (const id of coinbase.assets.values())
      expect(entries.get(id), id).toMatchObject({ currency: 'USD', isActive: true })
    expect(entries.get('BTC-EUR')?.currency).toBe('EUR')
  })
})
