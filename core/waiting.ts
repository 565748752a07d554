import type { Clock } from './ports/clock.ts'

export const ignore = (): undefined => undefined

/** Waits for the end of something, whatever it is, but not longer than that: a hung server owes answers that its client waits for. */
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
  const ending = new AbortController()
  let isOver = false
  // Not `AbortSignal.any`: what depends on a signal that lives long is kept, with all that waits for it, until a full collection.
  const over = (): void => {
    isOver = true
    ending.abort()
  }
  limit.signal?.addEventListener('abort', over)
  if (limit.signal?.aborted) over()
  const ended = limit.clock.sleep(limit.durationMs, ending.signal).then(
    () => Promise.reject(problem('late')),
    () => (isOver ? Promise.reject(problem('over')) : work),
  )
  try {
    return await Promise.race([work, ended])
  } finally {
    limit.signal?.removeEventListener('abort', over)
    ending.abort()
    ended.catch(ignore)
    work.catch(ignore)
  }
}
