import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { systemClock } from './clock.ts'

const timers = (): number => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length

describe('a sleep', () => {
  it('takes its time, and leaves nothing at its signal', async () => {
    const { signal } = new AbortController()
    const before = systemClock.monotonicMs()
    await systemClock.sleep(20, signal)
    // Timers may come a fraction of a millisecond early.
    expect(systemClock.monotonicMs() - before).toBeGreaterThan(18)
    expect(listeners(signal)).toBe(0)
  })

  it.each(['before', 'meanwhile'])(
    'ends with an AbortError when its signal fires %s, without a timer',
    async when => {
      const ending = new AbortController()
      const running = timers()
      if (when === 'before') ending.abort()
      const slept = systemClock.sleep(60_000, ending.signal)
      ending.abort()
      await expect(slept).rejects.toMatchObject({ name: 'AbortError' })
      expect(timers()).toBe(running)
      expect(listeners(ending.signal)).toBe(0)
    },
  )
})
