/**
 * The work, or a rejection with the signal's reason as soon as that fires: the work goes on by itself then, and nobody hears how it ends.
 * @throws what the work throws; the signal's reason
 */
export async function untilSignal<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const fired = Promise.withResolvers<never>()
  const onAbort = (): void => fired.reject(signal.reason)
  // Whichever of the two comes second is no news.
  work.catch(() => undefined)
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work, fired.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
