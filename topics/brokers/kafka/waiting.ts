import type { Clock } from '../../../core/ports/clock.ts'

export const ignore = (): undefined => undefined

/** Waits for the end of something, whatever it is, but not longer than that: a hung server owes answers that kafkajs waits for. */
export async function atMost(durationMs: number, work: Promise<unknown>, clock: Clock): Promise<void> {
  const over = new AbortController()
  const late = clock.sleep(durationMs, over.signal).catch(ignore)
  await Promise.race([work.catch(ignore), late])
  over.abort()
}

/** What ended a wait: its time, or the signal. */
export type WaitEnd = 'late' | 'over'

/** The work's result, or a throw of what `problem` makes of the end when time is up or the signal fires first. */
export async function within<T>(
  work: Promise<T>,
  limit: { readonly clock: Clock; readonly durationMs: number; readonly signal?: AbortSignal },
  problem: (end: WaitEnd) => Error,
): Promise<T> {
  const done = new AbortController()
  const signal = limit.signal ? AbortSignal.any([limit.signal, done.signal]) : done.signal
  const ended = limit.clock.sleep(limit.durationMs, signal).then(
    () => Promise.reject(problem('late')),
    () => (done.signal.aborted ? work : Promise.reject(problem('over'))),
  )
  try {
    return await Promise.race([work, ended])
  } finally {
    done.abort()
    ended.catch(ignore)
    work.catch(ignore)
  }
}
