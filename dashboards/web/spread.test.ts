import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DecimalString, ProviderId } from '../../core/brands.ts'
import { addMs } from '../../core/time.ts'
import { price, start } from './fakes.contract.ts'
import { spreadOf, spreadWindowMs } from './spread.ts'

const of = (...texts: string[]) =>
  spreadOf(texts.map((text, i) => price({ provider: ProviderId(`p${i}`), price: DecimalString(text) })))

describe('spreadOf', () => {
  it('is null for one price and exact where floats are not', () => {
    expect(of('1')).toBeNull()
    expect(of('0.1', '0.3')).toMatchObject({ absolute: '0.2', percent: '200.0000' })
    expect(of('1e300', '1e-300')?.absolute).toHaveLength(601)
    expect(of('0', '0')).toMatchObject({ absolute: '0', percent: '0.0000' })
  })

  it('leaves out a price that is older than the window', () => {
    const old = price({ at: addMs(start, -spreadWindowMs - 1), price: DecimalString('1') })
    const fresh = price({ provider: ProviderId('coinbase') })
    expect(spreadOf([old, fresh])).toBeNull()
    expect(spreadOf([{ ...old, observedAt: addMs(start, -spreadWindowMs) }, fresh])?.providers).toBe(2)
  })

  it('leaves out the consensus: it is no source', () => {
    const consensus = price({
      at: addMs(start, 1),
      provider: ProviderId('consensus'),
      price: DecimalString('9'),
    })
    const [a, b] = ['1', '2'].map((text, i) =>
      price({ provider: ProviderId(`p${i}`), price: DecimalString(text) }),
    )
    expect(spreadOf([a!, consensus])).toBeNull()
    expect(spreadOf([a!, consensus, b!])).toMatchObject({
      absolute: '1',
      providers: 2,
      high: { provider: 'p1' },
    })
  })

  it('is high minus low for any two numbers with five decimals', () => {
    const whole = fc.bigInt({ min: 1n, max: 10n ** 30n })
    fc.assert(
      fc.property(whole, whole, (a, b) => {
        const difference = String(a > b ? a - b : b - a).padStart(6, '0')
        const plain = `${difference.slice(0, -5)}.${difference.slice(-5)}`.replace(/\.?0+$/, '')
        expect(of(`${a}e-5`, `${b}e-5`)?.absolute).toBe(plain)
      }),
    )
  })
})
