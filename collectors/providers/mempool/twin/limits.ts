import { MINUTE } from '../../../../core/time.ts'

/** What a test may change. None of it is published; see NOTES.md. */
export interface MempoolLimits {
  /** Calls at once, and how fast they come back. */
  readonly burst: number
  readonly perSecond: number
  /** How often the server asks its exchanges. */
  readonly refreshMs: number
  /** Currencies that no exchange has a price of at present: -1. */
  readonly unknown: readonly string[]
  /** Days back with a price of every hour; before that there is one a week. */
  readonly hourlyDays: number
  /** Each answer has all currencies, whoever asks: the meter notes those that a client of the test really wants. */
  readonly noted: readonly string[]
}

export const own: MempoolLimits = {
  burst: 20,
  perSecond: 0.5,
  refreshMs: 5 * MINUTE,
  unknown: [],
  hourlyDays: 1_000,
  noted: ['USD'],
}
