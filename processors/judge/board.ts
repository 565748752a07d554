import type { AssetId, EpochMicros, ProviderId } from '../../core/brands.ts'
import type { Currency, Gap, Origin, Quote } from '../../core/records.ts'
import { medianOf } from './figures.ts'
import type { JudgeParameters } from './parameters.ts'
import { Range } from './range.ts'
import { Series, type World } from './series.ts'

/** All sources of one price in one world. */
export interface Group {
  readonly world: World
  readonly asset: AssetId
  readonly currency: Currency
  /** In the order of their names. */
  readonly series: Series[]
  /** The consensus, minute by minute. */
  readonly range: Range
  /** Divergent minutes in a row, and the first of them. */
  divergent: { readonly since: EpochMicros; readonly minutes: number } | undefined
}

export type Place = Pick<Quote, 'provider' | 'asset' | 'currency'>

/** Since when the quota allows no call for a price. */
export interface Denied {
  readonly since: EpochMicros
  readonly reason: string
  /** When it was last said. */
  readonly lastAt: EpochMicros
}

/** undefined for what is no price of now: backfill and replay are judged by nobody. */
export const worldOf = (origin: Origin): World | undefined =>
  origin === 'live' || origin === 'sandbox' ? origin : undefined

/** Every series that was heard of, by what it is asked for. */
export class Board {
  readonly #p: JudgeParameters
  readonly #groups = new Map<string, Group>()
  readonly #series = new Map<string, Series>()
  readonly #providers = new Map<string, Series[]>()
  /** Also of series that had no value, or whose values are forgotten. */
  readonly #denied = new Map<string, Denied>()
  constructor(parameters: JudgeParameters) {
    this.#p = parameters
  }

  groups(): readonly Group[] {
    return [...this.#groups.values()]
  }

  group(world: World, asset: AssetId, currency: Currency): Group | undefined {
    return this.#groups.get(`${world}|${asset}|${currency}`)
  }

  find(world: World, place: Place): Series | undefined {
    return this.#series.get(keyOf(world, place))
  }

  denied(world: World, place: Place): Denied | undefined {
    return this.#denied.get(keyOf(world, place))
  }

  deny(world: World, place: Place, { receivedAt, reason }: Pick<Gap, 'receivedAt' | 'reason'>): void {
    const key = keyOf(world, place)
    const known = this.#denied.get(key)
    if (known && known.lastAt >= receivedAt) return
    this.#denied.set(key, {
      since: known?.since ?? receivedAt,
      reason: known?.reason ?? reason,
      lastAt: receivedAt,
    })
  }

  allow(world: World, place: Place): void {
    this.#denied.delete(keyOf(world, place))
  }

  open(world: World, quote: Quote): Series {
    const found = this.find(world, quote)
    if (found) return found
    const made = new Series(world, quote, this.#p)
    this.#series.set(keyOf(world, made), made)
    this.#groupOf(made).series.push(made)
    this.#groupOf(made).series.sort((a, b) => (a.provider < b.provider ? -1 : 1))
    this.ofProvider(world, made.provider).push(made)
    return made
  }

  ofProvider(world: World, provider: ProviderId): Series[] {
    const key = `${world}|${provider}`
    const found = this.#providers.get(key) ?? []
    if (found.length === 0) this.#providers.set(key, found)
    return found
  }

  /** Sources of the price that were heard lately, without the provider named: those that nobody doubts, or outliers too. */
  others(own: Pick<Series, 'world'> & Place, at: EpochMicros, which: 'sane' | 'voices'): readonly Series[] {
    const group = this.group(own.world, own.asset, own.currency)
    return (group?.series ?? []).filter(
      s =>
        s.provider !== own.provider &&
        (which === 'sane' ? s.isSane : s.hasVoice) &&
        s.isHeard(at, this.#p.peerMaxAgeMs),
    )
  }

  /** What one unit of `from` is worth in other currencies, by sources other than the provider: logarithms. */
  crossRates(own: Series, at: EpochMicros): ReadonlyMap<Currency, number> {
    const found = new Map<Currency, number[]>()
    for (const base of this.#groups.values()) {
      if (base.world !== own.world || base.currency !== own.currency) continue
      const from = this.#median(base, own, at)
      for (const other of this.#groups.values()) {
        if (other.world !== own.world || other.asset !== base.asset || other === base) continue
        const rate = this.#median(other, own, at) - from
        if (!Number.isNaN(rate)) found.set(other.currency, [...(found.get(other.currency) ?? []), rate])
      }
    }
    return new Map([...found].map(([currency, rates]) => [currency, medianOf(rates)]))
  }

  /** Forgets what nobody heard of for long: memory is bounded by what is collected now. */
  forget(at: EpochMicros): void {
    const isOld = (last: EpochMicros): boolean => (at - last) / 1_000 > this.#p.forgetMs
    for (const series of this.#series.values()) if (isOld(series.latest.receivedAt)) this.drop(series)
    for (const [key, { lastAt }] of this.#denied) if (isOld(lastAt)) this.#denied.delete(key)
    for (const [key, group] of this.#groups) if (group.series.length === 0) this.#groups.delete(key)
    for (const [key, list] of this.#providers) if (list.length === 0) this.#providers.delete(key)
  }

  drop(series: Series): void {
    this.#series.delete(keyOf(series.world, series))
    for (const list of [this.#groupOf(series).series, this.ofProvider(series.world, series.provider)])
      list.splice(list.indexOf(series), 1)
  }

  #median(place: Pick<Group, 'asset' | 'currency'>, own: Series, at: EpochMicros): number {
    const { world, provider } = own
    const { asset, currency } = place
    return medianOf(this.others({ world, provider, asset, currency }, at, 'sane').map(s => s.ln))
  }

  #groupOf({ world, asset, currency }: Series): Group {
    const key = `${world}|${asset}|${currency}`
    const found = this.#groups.get(key)
    if (found) return found
    const made: Group = { world, asset, currency, series: [], range: new Range(), divergent: undefined }
    this.#groups.set(key, made)
    return made
  }
}

const keyOf = (world: World, { provider, asset, currency }: Place): string =>
  `${world}|${provider}|${asset}|${currency}`
