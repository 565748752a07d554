import { describe, expect, it } from 'vitest'
import type { Fault, FaultAct } from './faults.contract.ts'
import { Sight, visibleChanges } from './sight.contract.ts'

const noise = 1e-4
const faultOf = (act: FaultAct): Fault => ({
  ...{ expected: 'frozen-value', what: '', from: 0, to: 100, asset: 'bitcoin', providers: ['kraken'], act },
})
/** So many honest answers, each so much dearer than the one before. */
function watch(act: FaultAct, answers: number, step: number, clock = 1): boolean {
  const sight = new Sight()
  const fault = faultOf(act)
  for (let n = 0; n < answers; n += 1) {
    const price = 100 * (1 + step) ** n
    sight.see(fault, 'kraken', { digits: price.toFixed(6), price, observed: n * clock }, noise)
  }
  return sight.isVisible(fault)
}

describe('what can be seen of a lie', () => {
  const first = visibleChanges + 1

  it('is a freeze where the truth changed often enough, and went further than the noise', () => {
    expect(watch({ kind: 'freeze' }, first, noise)).toBe(true)
    expect(watch({ kind: 'freeze' }, first - 1, noise)).toBe(false)
    expect(watch({ kind: 'freeze' }, first, noise / 10)).toBe(false)
    expect(watch({ kind: 'freeze' }, 10 * first, 0)).toBe(false)
  })

  it('is a clock that would have stepped often enough', () => {
    for (const act of [{ kind: 'clock-stops' }, { kind: 'cached' }] as const) {
      expect(watch(act, first, 0)).toBe(true)
      expect(watch(act, first - 1, noise)).toBe(false)
      expect(watch(act, first, noise, 0)).toBe(false)
    }
  })

  it('is half against half, as long as it is half', () => {
    const sight = new Sight()
    const fault: Fault = { ...faultOf({ kind: 'times', factor: 1.1 }), expected: 'divergence' }
    for (let n = 0; n < 20; n += 1) {
      expect(sight.isVisible(fault)).toBe(false)
      sight.seeHalves(fault)
    }
    expect(sight.isVisible(fault)).toBe(true)
  })

  it('is any other lie that an answer carried, in each of its series', () => {
    const act = { kind: 'times', factor: 2 } as const
    expect(watch(act, 0, 0)).toBe(false)
    expect(watch(act, 1, 0)).toBe(true)
    const sight = new Sight()
    const fault = faultOf({ kind: 'freeze' })
    for (let n = 0; n < first; n += 1) {
      const price = 100 * (1 + noise) ** n
      sight.see(fault, 'kraken USD', { digits: `${price}`, price, observed: n }, noise)
      sight.see(fault, 'kraken EUR', { digits: '90', price: 90, observed: n }, noise)
    }
    expect(sight.isVisible(fault)).toBe(false)
  })
})
