import { EpochMicros } from '../../../../core/brands.ts'
import { DAY } from '../../../../core/time.ts'
import { hashText } from '../../../../sandbox/hash.ts'
import { raw } from '../../../../sandbox/json.ts'
import type { Json } from '../../../../sandbox/json.ts'
import { beside, type Instrument, openHighLow, type PriceAt } from './tick-shape.ts'

/** One UTC day of an instrument, or what there is of it yet. */
export interface Bar {
  readonly day: number
  readonly open: string
  readonly high: string
  readonly low: string
  readonly close: string
  readonly closedAt: EpochMicros
}

export function barOf(day: number, at: EpochMicros, priceAt: PriceAt): Bar {
  const closedAt = EpochMicros(Math.min(at, (day + 1) * DAY * 1_000 - 1))
  const prices = openHighLow(EpochMicros(day * DAY * 1_000), closedAt, priceAt)
  return { day, ...prices, close: priceAt(closedAt), closedAt }
}

export interface BarContext {
  readonly market: string
  readonly instrument: Instrument
  /** Empty = all. */
  readonly groups: readonly string[]
}

const volumeEnds = ['', '_TOP_TIER', '_DIRECT', '_TOP_TIER_DIRECT']

/** Members in the order of real bars, each with the group that it belongs to; UNIT and TIMESTAMP are always there. */
function membersOf(
  bar: Bar,
  { market, instrument }: BarContext,
): readonly (readonly [string, string, Json])[] {
  const begin = bar.day * (DAY / 1_000)
  return [
    ['', 'UNIT', 'DAY'],
    ['', 'TIMESTAMP', begin],
    ['ID', 'TYPE', '986'],
    ['ID', 'MARKET', market],
    ['ID', 'INSTRUMENT', instrument.name],
    ['OHLC', 'OPEN', raw(bar.open)],
    ['OHLC', 'HIGH', raw(bar.high)],
    ['OHLC', 'LOW', raw(bar.low)],
    ['OHLC', 'CLOSE', raw(bar.close)],
    ['MESSAGE', 'FIRST_MESSAGE_TIMESTAMP', begin],
    ['MESSAGE', 'LAST_MESSAGE_TIMESTAMP', Math.floor(bar.closedAt / 1e6)],
    ['OHLC_MESSAGE', 'FIRST_MESSAGE_VALUE', raw(bar.open)],
    ['OHLC_MESSAGE', 'HIGH_MESSAGE_VALUE', raw(bar.high)],
    ['OHLC_MESSAGE', 'HIGH_MESSAGE_TIMESTAMP', begin + 3_600],
    ['OHLC_MESSAGE', 'LOW_MESSAGE_VALUE', raw(bar.low)],
    ['OHLC_MESSAGE', 'LOW_MESSAGE_TIMESTAMP', begin + 7_200],
    ['OHLC_MESSAGE', 'LAST_MESSAGE_VALUE', raw(beside(bar.close))],
    ['MESSAGE', 'TOTAL_INDEX_UPDATES', hashText(`${instrument.name}/${begin}`) % 1_000_000],
    ...volumeEnds.flatMap(end => [
      ['VOLUME', `VOLUME${end}`, raw(`${hashText(`${begin}${end}`) % 300_000}.5`)] as const,
      ['VOLUME', `QUOTE_VOLUME${end}`, raw(`${hashText(`${begin}/${end}`)}.25`)] as const,
    ]),
  ]
}

export const barShape = (bar: Bar, context: BarContext): Json =>
  Object.fromEntries(
    membersOf(bar, context)
      .filter(([group]) => group === '' || context.groups.length === 0 || context.groups.includes(group))
      .map(([, name, value]) => [name, value]),
  )
