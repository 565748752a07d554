import type { EpochMicros } from '../../../../core/brands.ts'
import { parseIso, toEpochMs } from '../../../../core/time.ts'
import { formatFixed, formatShort, parseFixed } from '../../../../sandbox/decimal.ts'
import type { Json } from '../../../../sandbox/json.ts'

/** A currency of the index. `symbol` is an HTML entity, and only the plain endpoint has it. */
export interface BpiCurrency {
  readonly code: string
  readonly symbol: string
  readonly description: string
}

/** Those of the real list that the sandbox has prices in; the first three are in every plain answer. */
export const bpiCurrencies: readonly BpiCurrency[] = [
  { code: 'USD', symbol: '&#36;', description: 'United States Dollar' },
  { code: 'GBP', symbol: '&pound;', description: 'British Pound Sterling' },
  { code: 'EUR', symbol: '&euro;', description: 'Euro' },
  { code: 'JPY', symbol: '&yen;', description: 'Japanese Yen' },
  { code: 'BTC', symbol: '', description: 'Bitcoin' },
]

const shortRatesFrom = parseIso('2024-08-01T00:00:00Z')

/**
 * `rate` of a price with 4 fraction digits: `57,756.2984` and, from August 2024 on, three digits without zeros at the end:
 * `45,987.9` for 45987.8996.
 */
export function rateText(price: string, at: EpochMicros): string {
  const { units, scale } = parseFixed(price)
  const inFour = units * 10n ** BigInt(4 - scale)
  const text =
    at < shortRatesFrom
      ? formatFixed({ units: inFour, scale: 4 })
      : formatShort({ units: (inFour + 5n) / 10n, scale: 3 })
  const [whole = '', fraction] = text.split('.')
  const grouped = whole.replaceAll(/\B(?=(\d{3})+$)/g, ',')
  return fraction === undefined ? grouped : `${grouped}.${fraction}`
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `Aug 18, 2024 04:19:00 UTC` and the same moment as ISO text with `+00:00`. */
export function timesOf(at: EpochMicros): { readonly updated: string; readonly updatedISO: string } {
  const iso = new Date(toEpochMs(at)).toISOString().slice(0, 19)
  return { updated: `${dateOf(iso)} ${iso.slice(11)} UTC`, updatedISO: `${iso}+00:00` }
}

const dateOf = (iso: string): string =>
  `${months[Number(iso.slice(5, 7)) - 1]} ${Number(iso.slice(8, 10))}, ${iso.slice(0, 4)}`

/** `Aug 18, 2024 at 05:19 BST`. */
export function ukTimeOf(at: EpochMicros): string {
  const ms = toEpochMs(at)
  const isSummer = ms >= lastSundayAt(ms, 2) && ms < lastSundayAt(ms, 9)
  const iso = new Date(isSummer ? ms + 3_600_000 : ms).toISOString()
  return `${dateOf(iso)} at ${iso.slice(11, 16)} ${isSummer ? 'BST' : 'GMT'}`
}

/** 01:00 UTC on the last Sunday of a month (0 = January) in the year of `ms`: when British clocks change. */
function lastSundayAt(ms: number, month: number): number {
  const last = new Date(Date.UTC(new Date(ms).getUTCFullYear(), month + 1, 0, 1))
  return last.getTime() - last.getUTCDay() * 86_400_000
}

export const plainDisclaimer =
  'This data was produced from the CoinDesk Bitcoin Price Index (USD). Non-USD currency data converted using hourly conversion rate from openexchangerates.org'
export const codeDisclaimer =
  'This data was produced from the CoinDesk Bitcoin Price Index (USD). Non-USD currency data converted using hourly conversion rate.'
export const closeDisclaimer = (currency: string): string =>
  `This data was produced from the CoinDesk Bitcoin Price Index. BPI value data returned as ${currency}.`

export const supportedCurrencies: Json = [...bpiCurrencies]
  .sort((a, b) => (a.code < b.code ? -1 : 1))
  .map(({ code, description }) => ({ currency: code, country: description }))
