import type { Clock } from '../../../core/ports/clock.ts'

export const ignore = (): undefined => undefined

/** Waits for the end of something, whatever it is, but not longer than that: a hung server owes answers that kafkajs waits for. */
export async function atMost(durationMs: number, work: Promise<unknown>, clock: Clock): Promise<void> {
  const over = new AbortController()
  const late = clock.sleep(durationMs, over.signal).catch(ignore)
  await Promise.race([work.catch(ignore), late])
  over.abort()
}
