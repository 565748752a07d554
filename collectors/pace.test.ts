import { describe, expect, it } from 'vitest'
import { createPace } from './pace.ts'

const turn = (signal = new AbortController().signal) => ({ name: 'kraken', minTimeMs: 0, signal })

describe('pace', () => {
  it('runs no more than four calls of one provider at once, in order', async () => {
    const pace = createPace()
    const order: number[] = []
    const gate = Promise.withResolvers<void>()
    const four = Promise.withResolvers<void>()
    const work = (n: number) => async () => {
      order.push(n)
      if (order.length === 4) four.resolve()
      await gate.promise
      return n
    }
    const results = Promise.all([0, 1, 2, 3, 4, 5, 6].map(n => pace.schedule(turn(), work(n))))
    await four.promise
    await new Promise(resolve => setImmediate(resolve))
    expect(order).toEqual([0, 1, 2, 3])
    gate.resolve()
    expect(await results).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6])
    await pace.close()
    await pace.close()
  })

  it('lets those who wait go at once when the signal fires, and those at work end', async () => {
    const pace = createPace()
    const stop = new AbortController()
    const hour = { name: 'slow', minTimeMs: 3_600_000, signal: stop.signal }
    const gate = Promise.withResolvers<string>()
    const begun = Promise.withResolvers<void>()
    const first = pace.schedule(hour, () => {
      begun.resolve()
      return gate.promise
    })
    let ran = false
    const second = pace.schedule(hour, async () => (ran = true))
    await begun.promise
    stop.abort()
    await expect(second).rejects.toMatchObject({ code: 'CRY_ABORTED' })
    await expect(pace.schedule(hour, async () => (ran = true))).rejects.toMatchObject({ code: 'CRY_ABORTED' })
    gate.resolve('done')
    expect(await first).toBe('done')
    expect(ran).toBe(false)
    await pace.close()
  })
})
