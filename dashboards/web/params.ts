import { assets, findAsset } from '../../core/assets.ts'
import { AssetId, type EpochMicros, ProviderId } from '../../core/brands.ts'
import { CryptosError } from '../../core/errors.ts'
import type { HistoryQuery } from '../../core/ports/reader.ts'
import { addMs, DAY, HOUR, MINUTE, SECOND } from '../../core/time.ts'
import { formatDuration, parseDuration, parseTime } from './times.ts'

/** Most points a provider that one `history` answer may hold. */
export const maxPoints = 5_000
/** A day by the minute fits. */
const wantedPoints = 1_500
const stepLadderMs = [
  ...[1, 2, 5, 10, 15, 30].map(n => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map(n => n * MINUTE),
  ...[1, 2, 4, 6, 12].map(n => n * HOUR),
  ...[1, 2, 7, 30].map(n => n * DAY),
]

export type Params = ReadonlyMap<string, string>

const refuse = (message: string): never => {
  throw new CryptosError('CRY_VALUE_INVALID', message)
}

const quoted = (text: string): string => JSON.stringify(text.slice(0, 60))

/** Every parameter known, given once, not empty. @throws CryptosError CRY_VALUE_INVALID */
export function readParams(
  queries: Readonly<Record<string, readonly string[]>>,
  known: readonly string[],
): Params {
  const params = new Map<string, string>()
  for (const [name, values] of Object.entries(queries)) {
    if (!known.includes(name))
      refuse(
        known.length === 0
          ? `${quoted(name)} is not a parameter: this address takes none`
          : `${quoted(name)} is not a parameter: this address takes ${known.join(', ')}`,
      )
    if (values.length !== 1 || !values[0]) refuse(`${name} must be given once and not be empty`)
    params.set(name, values[0] ?? '')
  }
  return params
}

/** An id, a symbol that one asset alone has, or `<provider>:<id there>`. */
export function readAsset(params: Params): AssetId | undefined {
  const text = params.get('asset')
  if (text === undefined) return undefined
  const known = findAsset(text)
  if (known) return known.id
  const same = assets.filter(a => a.symbol.toLowerCase() === text.toLowerCase())
  if (same.length > 1) return refuse(`asset ${quoted(text)} is one of ${same.map(a => a.id).join(', ')}`)
  if (text.includes(':')) {
    try {
      return AssetId(text)
    } catch {
      return refuse(`asset ${quoted(text)} is not an asset id`)
    }
  }
  return refuse(`asset ${quoted(text)} is unknown: /api/v1/meta lists the assets`)
}

export function readCurrency(params: Params): string | undefined {
  const text = params.get('currency')
  if (text === undefined || /^[A-Za-z0-9]{2,10}$/.test(text)) return text?.toUpperCase()
  return refuse(`currency ${quoted(text)} must be 2 to 10 letters or digits, like USD`)
}

export function readProvider(params: Params): ProviderId | undefined {
  const text = params.get('provider')
  if (text === undefined) return undefined
  try {
    return ProviderId(text)
  } catch {
    return refuse(`provider ${quoted(text)} must be a lower-case name like kraken`)
  }
}

export function readLimit(
  params: Params,
  limits: { readonly byDefault: number; readonly most: number },
): number {
  const text = params.get('limit') ?? String(limits.byDefault)
  const value = Number(text)
  if (/^\d{1,6}$/.test(text) && value >= 1 && value <= limits.most) return value
  return refuse(`limit must be a whole number from 1 to ${limits.most}`)
}

/** The finest step of the ladder that gives no more than the wanted points. */
export const chooseStepMs = (rangeMs: number): number =>
  stepLadderMs.find(step => step >= rangeMs / wantedPoints) ?? 30 * DAY

/** `from` is `first` where the answer shall begin with the first price that is stored. */
export type HistoryParams = Omit<HistoryQuery, 'from' | 'stepMs'> & {
  readonly from: EpochMicros | 'first'
  readonly stepMs: number | undefined
}

/** [from, to); the last day up to now where nothing is said. A little after now belongs to it: clocks of sources may be ahead. */
export function readRange(
  params: Params,
  now: EpochMicros,
): { readonly from: EpochMicros; readonly to: EpochMicros } {
  const to = params.has('to') ? parseTime('to', params.get('to') ?? '', now) : addMs(now, MINUTE)
  const from = parseTime('from', params.get('from') ?? '-24h', now)
  return from < to ? { from, to } : refuse('from must be before to')
}

export function readHistory(params: Params, now: EpochMicros): HistoryParams {
  const asset = readAsset(params) ?? refuse('asset is missing: give an id or a symbol, like asset=bitcoin')
  const to = parseTime('to', params.get('to') ?? 'now', now)
  const fromText = params.get('from') ?? '-24h'
  const from = fromText === 'first' ? fromText : parseTime('from', fromText, now)
  if (from !== 'first' && from >= to) refuse('from must be before to')
  const stepText = params.get('step')
  const stepMs = stepText === undefined ? undefined : parseDuration(stepText)
  if (stepText !== undefined && stepMs === undefined)
    refuse(`step ${quoted(stepText)} must be like 60s, 1m or 1h`)
  const provider = readProvider(params)
  const currency = readCurrency(params) ?? 'USD'
  return { asset, currency, from, to, stepMs, ...(provider && { provider }) }
}

/** Whether the answer depends on when the stored prices begin: asked for, or where a finer step may do than the range lets. */
export const needsFirst = ({ from, to, stepMs }: HistoryParams): boolean =>
  from === 'first' || (stepMs === undefined && chooseStepMs((to - from) / 1_000) > MINUTE)

/**
 * The step fits the stored prices, not the range: an hour of them is told by the minute in a range of a week too.
 * @param first when the stored prices begin, where that is known
 * @throws CryptosError CRY_VALUE_INVALID for more points than an answer may hold
 */
export function completeHistory(params: HistoryParams, from: EpochMicros, first?: EpochMicros): HistoryQuery {
  const to = params.to > from ? params.to : addMs(from, 1)
  const rangeMs = (to - from) / 1_000
  const begin =
    params.stepMs === undefined && first !== undefined && first > from && first < to ? first : from
  const stepMs = params.stepMs ?? chooseStepMs((to - begin) / 1_000)
  if (rangeMs / stepMs > maxPoints && begin === from)
    refuse(
      `a step of ${formatDuration(stepMs)} gives more than ${maxPoints} points: take a wider step or a later from`,
    )
  return { ...params, from: begin, to, stepMs }
}
