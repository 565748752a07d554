import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { parseIso } from './time.ts'
import { VirtualClock } from './virtual-clock.ts'
import { within } from './waiting.ts'
import type { WaitEnd } from './waiting.ts'

const start = parseIso('2026-11-21T12:00:00Z')
const problem = (end: WaitEnd): Error => new Error(end)
const never = new Promise<string>(() => undefined)
const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length

describe('a wait with a limit', () => {
  const limitOf = (clock = new VirtualClock(start)) => {
    const ending = new AbortController()
    return { clock, ending, limit: { clock, durationMs: 1_000, signal: ending.signal } }
  }

  it.each([
    ['a result', async () => 'done', 'done'],
    ['an error', () => Promise.reject(new Error('broken')), 'broken'],
  ])('gives %s of the work and leaves no listener', async (_, work, expected) => {
    const { ending, limit } = limitOf()
    expect(await within(work(), limit, problem).catch((error: Error) => error.message)).toBe(expected)
    expect(listeners(ending.signal)).toBe(0)
  })

  it.each([
    ['late', (clock: VirtualClock) => clock.advance(1_000)],
    ['over', (_: VirtualClock, ending: AbortController) => ending.abort()],
  ] as const)('is %s', async (end, happen) => {
    const { clock, ending, limit } = limitOf()
    const waiting = within(never, limit, problem)
    const said = expect(waiting).rejects.toThrow(end)
    await happen(clock, ending)
    await said
    expect(listeners(ending.signal)).toBe(0)
  })

  it('is over at once where its signal fired before', async () => {
    const { ending, limit } = limitOf()
    ending.abort()
    await expect(within(never, limit, problem)).rejects.toThrow('over')
  })
})
