import { plan } from '../../../quota/plans.ts'

/** Smallest plan of 2020: 45,000 requests a month. How many a minute is not published; ten are more than its month has. */
export const developer = plan('developer', 45_000, null, 10)
