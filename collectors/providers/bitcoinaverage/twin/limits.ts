import { SECOND } from '../../../../core/time.ts'

/** The account as the twin plays it; a test may change each. */
export interface BitcoinAverageLimits {
  /** Developer, 2020: 45,000 a month. */
  readonly requestsPerPeriod: number
  /** What `/info/ratelimits` calls `30d` or `24h`; played as the calendar month or day in UTC. */
  readonly period: 'month' | 'day'
  /** How far a signature may be from the server's clock. */
  readonly maxSkewMs: number
  /** Whether the plan has history; else it is "Higher level API Keys required". */
  readonly hasHistory: boolean
  /** Shut down, as the first API was: HTTP 200 with a message, whatever was asked. */
  readonly isClosed: boolean
  /** First day of `period=alltime`. */
  readonly historyFrom: string
}

export const developer: BitcoinAverageLimits = {
  requestsPerPeriod: 45_000,
  period: 'month',
  maxSkewMs: 15 * SECOND,
  hasHistory: true,
  isClosed: false,
  historyFrom: '2014-01-01T00:00:00Z',
}
