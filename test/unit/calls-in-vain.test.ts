import { describe, expect, it } from 'vitest'
import { callsInVain } from '../support/calls-in-vain.ts'

const page = (minute: number, name: string) => ({
  slot: `${minute} ${name}`,
  spender: `collect_coinbase/${minute}`,
  dataset: 'quotes',
})
const sweeps = [1, 2, 3].flatMap(minute => [page(minute, 'BTC'), page(minute, 'ETH')])

describe('calls in vain', () => {
  it('are none where each slot was called once', () => {
    expect(callsInVain(6, sweeps)).toEqual({ calls: 0, deaths: 0 })
  })
  it('of one task are as many as it has pages: they are under way at once', () => {
    expect(callsInVain(8, sweeps)).toEqual({ calls: 2, deaths: 1 })
  })
  it('beyond that are of a second death', () => {
    expect(callsInVain(9, sweeps)).toEqual({ calls: 3, deaths: 2 })
  })
  it('of a task with one page are a death each', () => {
    const one = sweeps.filter(run => run.slot.endsWith('BTC'))
    expect(callsInVain(5, one)).toEqual({ calls: 2, deaths: 2 })
  })
})
