import type { EpochMicros } from '../../../../core/brands.ts'
import { parseIso } from '../../../../core/time.ts'
import { limitsOf } from '../../../../sandbox/types.ts'
import type { TwinOptions } from '../../../../sandbox/types.ts'

/** What a test or run may change by `startSandbox({ limits: { coindesk: { … } } })`. */
export interface CoinDeskLimits {
  /** Of the Bitcoin Price Index, by address; null (the default) = none: none was ever published. */
  readonly bpiCallsPerMinute: number | null
  /** Of a key of the Data API. One third party saw 300, 7,500 and 11,000 in January 2026. */
  readonly callsPerMinute: number
  readonly callsPerDay: number | null
  readonly callsPerMonth: number | null
  /** How the Data API refuses a call over a limit: 429 with `Err`, or 200 with `Response: Error` as min-api does. */
  readonly refusal: 'http-429' | 'min-api-200'
  /**
   * The end of the Bitcoin Price Index, as ISO times, each for itself; none by default. From `mislabelFrom` every currency has the
   * price in USD under its own label, also in the history. From `freezeFrom` the price of that moment stays, while `time` goes on.
   * From `goneFrom` the index answers 503 (its name had no address any more, which a server can not play). The Data API goes on.
   */
  readonly end: {
    readonly mislabelFrom?: string
    readonly freezeFrom?: string
    readonly goneFrom?: string
  }
}

const own: CoinDeskLimits = {
  bpiCallsPerMinute: null,
  callsPerMinute: 300,
  callsPerDay: 7_500,
  callsPerMonth: 11_000,
  refusal: 'http-429',
  end: {},
}

export interface End {
  readonly mislabelFrom: EpochMicros | null
  readonly freezeFrom: EpochMicros | null
  readonly goneFrom: EpochMicros | null
}

/** @throws CryptosError CRY_VALUE_INVALID for a time that is none */
export function readLimits(options: TwinOptions): CoinDeskLimits & { readonly at: End } {
  const limits = limitsOf(own, options)
  const timeOf = (text: string | undefined): EpochMicros | null =>
    text === undefined ? null : parseIso(text)
  const { mislabelFrom, freezeFrom, goneFrom } = limits.end
  const at = {
    mislabelFrom: timeOf(mislabelFrom),
    freezeFrom: timeOf(freezeFrom),
    goneFrom: timeOf(goneFrom),
  }
  return { ...limits, at }
}
