/** What the played CoinMarketCap accounts may do. `null` = no such limit. Other twins have limits of their own. */
export interface SandboxPlan {
  readonly name: string
  /** Credits a calendar month in UTC. */
  readonly creditsPerMonth: number | null
  /** Credits a UTC day. */
  readonly creditsPerDay: number | null
  /** CoinMarketCap calls a UTC minute and key, refused ones included. */
  readonly callsPerMinute: number
  /** Keyless CoinMarketCap calls a UTC minute and address. The real number is not published. */
  readonly keylessCallsPerMinute: number
  /** How far behind `key/info` tells the credits used. */
  readonly usageLagMs: number
  /** Days back that quotes/historical gives for intervals under a day, and for daily ones. */
  readonly intradayHistoryDays: number
  readonly dailyHistoryDays: number
}

/** The free plan as `/v1/key/info` told it in September 2026. */
export const basic2026: SandboxPlan = {
  name: 'Basic 2026',
  creditsPerMonth: 15_000,
  creditsPerDay: null,
  callsPerMinute: 50,
  keylessCallsPerMinute: 30,
  usageLagMs: 0,
  intradayHistoryDays: 31,
  dailyHistoryDays: 365,
}

/** The free plan before 2026: 10,000 a month, 333 a day, 30 calls a minute. */
export const basic2021: SandboxPlan = {
  ...basic2026,
  name: 'Basic 2021',
  creditsPerMonth: 10_000,
  creditsPerDay: 333,
  callsPerMinute: 30,
}
