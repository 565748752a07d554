import type { EpochMicros } from '../../core/brands.ts'
import type { Serving } from '../../core/records.ts'
import { aheadText } from './ahead.ts'
import type { Denied, Group } from './board.ts'
import { doubtText } from './consensus.ts'
import { spanText } from './figures.ts'
import type { JudgeParameters, Offer } from './parameters.ts'
import { ProviderId } from '../../core/brands.ts'
import type { Series } from './series.ts'
import { toIso } from '../../core/time.ts'

/** A value comes a little late now and then. */
const timesInterval = 1.5

export interface Minute {
  readonly parameters: JudgeParameters
  /** Why the only two sources that count are not believed: nobody knows which of them is right. */
  readonly parted: string | undefined
  /** Why a provider is not asked for the price; undefined = it is. */
  readonly deniedOf: (provider: ProviderId) => Denied | undefined
}

/**
 * Who serves the spot price at a minute: the first source of the order that is allowed, believed and fresh. The ones before it are
 * told with the reason, but for those that have no such price to offer. Each minute begins at the first again, so that it serves as soon as it is fit. A group holds sources of
 * one world: a sandbox source never serves for a live one.
 */
export function servingOf(group: Group, at: EpochMicros, receivedAt: EpochMicros, minute: Minute): Serving {
  const { parameters, parted } = minute
  const names = parameters.spot.sources
  const order = names.length > 0 ? new Set(names) : group.series.map(s => s.provider)
  const skipped: { readonly provider: ProviderId; readonly why: string }[] = []
  let chosen: Series | undefined
  for (const name of order) {
    const series = group.series.find(s => s.provider === name)
    if (!series && !offers(parameters.spot.offers[name], group)) continue
    const why = unfit(name, series, { at, now: receivedAt, ...minute }) ?? (parted && `insane: ${parted}`)
    if (why === undefined) {
      chosen = series
      break
    }
    skipped.push({ provider: ProviderId(name), why })
  }
  return {
    ...{ kind: 'serving', role: 'spot', asset: group.asset, currency: group.currency, at },
    provider: chosen?.provider ?? null,
    price: chosen?.latest.price ?? null,
    observedAt: chosen?.latest.observedAt ?? null,
    ...{ skipped, receivedAt, origin: group.world },
  }
}

/** Whether a value of the group could come at all. */
const offers = (offer: Offer | undefined, { asset, currency }: Group): boolean =>
  (offer?.currencies?.includes(currency) ?? true) && (offer?.assets?.includes(asset) ?? true)

function unfit(
  name: string,
  series: Series | undefined,
  { at, now, parameters: p, deniedOf }: Minute & { readonly at: EpochMicros; readonly now: EpochMicros },
): string | undefined {
  const off = p.spot.disabled[name]
  if (off !== undefined) return `disabled: ${off}`
  const denied = deniedOf(ProviderId(name))
  if (denied) return `denied since ${toIso(denied.since)}: ${denied.reason}`.slice(0, 300)
  if (!series) return 'never had a value'
  const { failed } = series
  if (failed && failed.calls >= p.spot.failedCalls)
    return `dead: ${failed.calls} calls in vain since ${toIso(failed.since)}: ${failed.reason}`.slice(0, 300)
  const doubt = aheadText(series.latest, now, p) ?? doubtText(series, p.cleanValues)
  if (doubt !== undefined) return `insane: ${doubt}`
  const ageMs = (at - series.latest.observedAt) / 1_000
  if (ageMs <= maxAgeMsOf(series, p)) return undefined
  return `dead: no value for ${spanText(ageMs)}${series.ahead === undefined ? '' : `; ${series.ahead}`}`
}

/** A value that is asked for every 15 minutes is not dead after 5, whatever is known of its step yet. */
function maxAgeMsOf({ provider, asset, clock }: Series, { spot, consensus }: JudgeParameters): number {
  const intervals = spot.offers[provider]?.intervalsMs
  const intervalMs = intervals?.byAsset.get(asset) ?? intervals?.other ?? 0
  const bySteps = Math.min(Math.max(spot.maxAgeMs, 3 * clock.stepMs), consensus.maxAgeMs)
  return Math.max(bySteps, timesInterval * intervalMs)
}
