import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EpochMicros, ProviderId } from './brands.ts'
import { barId, barVersion, tradeId, tradeVersion } from './stream-records.ts'

const venue = ProviderId('coinbase')
const windowStart = EpochMicros(60_000_000)

describe('ids of trades and bars', () => {
  it('are their identity as text', () => {
    expect(tradeId({ venue, product: 'BTC-USD', tradeId: '7' })).toBe('coinbase|BTC-USD|7')
    expect(barId({ venue, product: 'BTC-USD', interval: '1m', windowStart })).toBe(
      'coinbase|BTC-USD|1m|60000000',
    )
  })

  it('differ where the identity differs, whatever characters a venue uses', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '|', '%', '7', 'C', '2', '5'), maxLength: 6 })
    fc.assert(
      fc.property(text, text, text, text, (product, id, otherProduct, otherId) => {
        const [one, other] = [
          tradeId({ venue, product, tradeId: id }),
          tradeId({ venue, product: otherProduct, tradeId: otherId }),
        ]
        expect(one === other).toBe(product === otherProduct && id === otherId)
      }),
    )
  })

  it('have versions that grow with what came later', () => {
    expect(tradeVersion({ receivedAt: EpochMicros(9) })).toBe(9)
    const first = { receivedAt: EpochMicros(9), revision: 0 }
    expect(barVersion({ ...first, revision: 1 })).toBeGreaterThan(barVersion(first))
  })
})
