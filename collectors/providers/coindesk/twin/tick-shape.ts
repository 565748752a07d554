import type { EpochMicros } from '../../../../core/brands.ts'
import { DAY, HOUR, toEpochMs } from '../../../../core/time.ts'
import { periodStart } from '../../../../sandbox/calendar.ts'
import { divide, formatNumber, parseFixed, rescale } from '../../../../sandbox/decimal.ts'
import { hashText } from '../../../../sandbox/hash.ts'
import { raw } from '../../../../sandbox/json.ts'
import type { Json } from '../../../../sandbox/json.ts'

export interface Instrument {
  readonly name: string
  readonly base: string
  readonly quote: string
}

/** Price of an instrument at a moment; the caller has seen that there is one. */
export type PriceAt = (at: EpochMicros) => string

type Members = Record<string, Json>

/** Far more fraction digits than a price has. */
const besideDigits = 18

export const tickGroups = [
  ...['ID', 'VALUE', 'LAST_UPDATE', 'CURRENT_HOUR', 'CURRENT_DAY', 'CURRENT_WEEK', 'CURRENT_MONTH'],
  ...['CURRENT_YEAR', 'MOVING_24_HOUR', 'MOVING_7_DAY', 'MOVING_30_DAY', 'MOVING_90_DAY', 'MOVING_180_DAY'],
  ...['MOVING_365_DAY', 'LIFETIME'],
] as const

const volumes = ['', '_TOP_TIER', '_DIRECT', '_TOP_TIER_DIRECT'].flatMap(end => [
  `VOLUME${end}`,
  `QUOTE_VOLUME${end}`,
])

/** Some amount of our own making, the same for the same name. */
const amount = (name: string): Json => raw(`${hashText(name) % 90_000}.${1 + (hashText(`${name}/`) % 9_999)}`)

/** A whole tick, or only the asked groups; `value` is the price at `at`. */
export function tickOf(
  instrument: Instrument,
  market: string,
  { at, priceAt, groups }: { at: EpochMicros; priceAt: PriceAt; groups: readonly string[] },
): Members {
  const tick: Members = {}
  for (const group of tickGroups)
    if (groups.length === 0 || groups.includes(group))
      Object.assign(tick, groupOf(group, { instrument, market, at, priceAt }))
  return tick
}

interface Moment {
  readonly instrument: Instrument
  readonly market: string
  readonly at: EpochMicros
  readonly priceAt: PriceAt
}

function groupOf(group: string, moment: Moment): Members {
  const { instrument, market, at, priceAt } = moment
  if (group === 'ID')
    return { TYPE: '266', MARKET: market, INSTRUMENT: instrument.name, CCSEQ: Math.floor(at / 1e6) % 1e9 }
  if (group === 'VALUE') {
    const before = parseFloat(priceAt((at - 1_000_000) as EpochMicros))
    return {
      VALUE: raw(priceAt(at)),
      VALUE_FLAG: before > parseFloat(priceAt(at)) ? 'DOWN' : 'UP',
      VALUE_LAST_UPDATE_TS: Math.floor(at / 1e6),
      VALUE_LAST_UPDATE_TS_NS: (at % 1e6) * 1_000,
    }
  }
  if (group === 'LAST_UPDATE') return lastUpdate(moment)
  return group === 'LIFETIME' ? lifetime(moment) : period(group, moment)
}

function lastUpdate({ instrument: { name }, at }: Moment): Members {
  const rest = volumes.slice(2).map(end => [`LAST_UPDATE_${end}`, amount(`${name}/${end}`)] as const)
  return {
    LAST_UPDATE_QUANTITY: amount(`${name}/quantity`),
    LAST_UPDATE_QUOTE_QUANTITY: amount(`${name}/quote`),
    ...Object.fromEntries(rest),
    LAST_UPDATE_CCSEQ: Math.floor(at / 1e6) % 1e9,
  }
}

/** Begin of the period that the name of a group stands for. */
function beginOf(group: string, at: EpochMicros): EpochMicros {
  const ms = toEpochMs(at)
  const start = (begin: number): EpochMicros => (begin * 1_000) as EpochMicros
  if (group === 'CURRENT_HOUR') return start(ms - (ms % HOUR))
  if (group === 'CURRENT_DAY') return periodStart('day', at)
  if (group === 'CURRENT_MONTH') return periodStart('month', at)
  if (group === 'CURRENT_YEAR') return start(Date.UTC(new Date(ms).getUTCFullYear(), 0, 1))
  if (group === 'CURRENT_WEEK') return start(ms - (ms % DAY) - ((new Date(ms).getUTCDay() + 6) % 7) * DAY)
  const [, count = '1', unit] = /^MOVING_(\d+)_(HOUR|DAY)$/.exec(group) ?? []
  return start(ms - Number(count) * (unit === 'HOUR' ? HOUR : DAY))
}

function period(group: string, { instrument: { name }, at, priceAt }: Moment): Members {
  const begin = beginOf(group, at)
  const prices = openHighLow(begin, at, priceAt)
  return {
    ...Object.fromEntries(volumes.map(end => [`${group}_${end}`, amount(`${name}/${group}/${end}`)])),
    [`${group}_OPEN`]: raw(prices.open),
    [`${group}_HIGH`]: raw(prices.high),
    [`${group}_LOW`]: raw(prices.low),
    [`${group}_TOTAL_INDEX_UPDATES`]: hashText(`${name}/${group}`) % 1_000_000,
    [`${group}_CHANGE`]: changeOf(prices.open, priceAt(at)).change,
    [`${group}_CHANGE_PERCENTAGE`]: changeOf(prices.open, priceAt(at)).percent,
  }
}

/** First price of a time, and the highest and lowest of eight moments in it. */
export function openHighLow(
  begin: EpochMicros,
  end: EpochMicros,
  priceAt: PriceAt,
): { readonly open: string; readonly high: string; readonly low: string } {
  const moments = Array.from({ length: 9 }, (_, step) => begin + Math.floor(((end - begin) * step) / 8))
  const prices = moments.map(at => priceAt(at as EpochMicros))
  const sorted = prices.toSorted((a, b) => parseFloat(a) - parseFloat(b))
  const [open = '0'] = prices
  return { open: beside(open), low: beside(sorted[0] ?? open, -1n), high: beside(sorted.at(-1) ?? open) }
}

/** A digit more than a price has: no other number of a body has the digits of its price. */
export function beside(price: string, units = 1n): string {
  const { units: all, scale } = rescale(parseFixed(price), besideDigits)
  return formatNumber({ units: all + units, scale })
}

function changeOf(open: string, now: string): { readonly change: Json; readonly percent: Json } {
  const [from, to] = [parseFixed(open), parseFixed(now)]
  const scale = Math.max(from.scale, to.scale)
  const units = to.units * 10n ** BigInt(scale - to.scale) - from.units * 10n ** BigInt(scale - from.scale)
  const percent = divide({ units: units * 100n, scale }, from, 12)
  return { change: raw(formatNumber({ units, scale })), percent: raw(formatNumber(percent)) }
}

const firstUpdate = 1_279_408_140

function lifetime({ instrument: { name }, at, priceAt }: Moment): Members {
  const now = priceAt(at)
  const { open, high, low } = openHighLow((at - 365 * DAY * 1_000) as EpochMicros, at, priceAt)
  return {
    LIFETIME_FIRST_UPDATE_TS: firstUpdate,
    ...Object.fromEntries(volumes.map(end => [`LIFETIME_${end}`, amount(`${name}/LIFETIME/${end}`)])),
    LIFETIME_OPEN: raw(open),
    LIFETIME_HIGH: raw(high),
    LIFETIME_HIGH_TS: Math.floor(at / 1e6) - 86_400,
    LIFETIME_LOW: raw(low),
    LIFETIME_LOW_TS: firstUpdate + 86_400,
    LIFETIME_TOTAL_INDEX_UPDATES: hashText(`${name}/LIFETIME`) % 1_000_000_000,
    LIFETIME_CHANGE: changeOf(open, now).change,
    LIFETIME_CHANGE_PERCENTAGE: changeOf(open, now).percent,
  }
}
