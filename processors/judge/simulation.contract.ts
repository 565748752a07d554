import { AssetId, Credits, DecimalString, EpochMicros, ProviderId } from '../../core/brands.ts'
import type { Gap, Quote } from '../../core/records.ts'
import type { Fault } from './faults.contract.ts'
import { between, type Market, pick, type Rng, type SimAsset } from './market.contract.ts'
import type { Shown, SimSource } from './sources.contract.ts'

/** A record as it reaches the topics, and the lie that it carries, if any. */
export interface SimRecord {
  readonly record: Quote | Gap
  readonly fault: Fault | undefined
}

export interface Simulation {
  readonly startMs: number
  readonly market: Market
  readonly sources: readonly SimSource[]
  readonly faults: readonly Fault[]
  readonly rng: Rng
}

interface Outage {
  readonly from: number
  readonly to: number
  readonly state: 'failed' | 'provider-down' | 'denied' | undefined
}

/** Nobody runs: no records at all. Or a provider is down, or the quota is used up: gaps. */
function outagesOf({ rng, market, sources }: Simulation): ReadonlyMap<string, readonly Outage[]> {
  const days = market.minutes / 1_440
  const many = (count: number, state: () => Outage['state'], longest: number): Outage[] =>
    Array.from({ length: count }, () => {
      const from = Math.floor(rng() * market.minutes)
      return { from, to: from + Math.ceil(between(rng, 3, longest)), state: state() }
    })
  const ours = many(Math.ceil(days / 10), () => undefined, 240)
  const theirs = (): Outage[] =>
    many(Math.ceil(days / 3), () => pick(rng, ['failed', 'provider-down', 'denied'] as const), 180)
  return new Map(sources.map(s => [s.provider, [...ours, ...theirs()]]))
}

const micros = (startMs: number, minute: number): EpochMicros =>
  EpochMicros(Math.round((startMs + minute * 60_000) * 1_000))

/** Every record of the sources, minute by minute, in the order of their arrival. The list is used again for the next minute. */
export class Simulator {
  readonly #s: Simulation
  readonly #outages: ReadonlyMap<string, readonly Outage[]>
  readonly #skewMinutes: ReadonlyMap<string, number>
  readonly #frozen = new Map<
    string,
    { readonly fault: Fault; readonly price: string; readonly observed: number }
  >()
  readonly #list: SimRecord[] = []
  constructor(simulation: Simulation) {
    this.#s = simulation
    this.#outages = outagesOf(simulation)
    this.#skewMinutes = new Map(
      simulation.sources.map(s => [s.provider, between(simulation.rng, -2, 2) / 60]),
    )
  }

  at(minute: number): EpochMicros {
    return micros(this.#s.startMs, minute)
  }

  minute(minute: number): readonly SimRecord[] {
    this.#list.length = 0
    for (const [index, source] of this.#s.sources.entries())
      if ((minute + index) % source.everyMinutes === 0) this.#answer(source, minute)
    return this.#list.sort((a, b) => a.record.receivedAt - b.record.receivedAt)
  }

  #answer(source: SimSource, minute: number): void {
    const { rng } = this.#s
    const outage = this.#outages.get(source.provider)?.find(o => minute >= o.from && minute < o.to)
    const received = minute + between(rng, 0.05, 0.9)
    for (const [index, { asset, currency }] of source.series.entries()) {
      const shown = source.show(index, received)
      if (outage) {
        if (outage.state) this.#gap(source, index, received, outage.state, 'HTTP 503', undefined)
        continue
      }
      const fault = this.#faultOf(source, asset, currency, minute)
      if (fault?.act.kind === 'gap')
        this.#gap(source, index, received, fault.act.state, fault.act.reason, fault)
      else if (!fault && rng() < 2e-4)
        this.#gap(source, index, received, 'missing', '$.price: wanted a decimal number, got null', undefined)
      else this.#quote(source, index, { received, shown, fault })
    }
  }

  #faultOf(source: SimSource, asset: SimAsset, currency: string, minute: number): Fault | undefined {
    return this.#s.faults.find(
      f =>
        minute >= f.from &&
        minute < f.to &&
        f.asset === asset.id &&
        f.providers.includes(source.provider) &&
        (f.currency === undefined || f.currency === currency) &&
        !(f.act.kind === 'in-currency' && f.act.currency === currency),
    )
  }

  #quote(
    source: SimSource,
    index: number,
    { received, shown, fault }: { received: number; shown: Shown; fault: Fault | undefined },
  ): void {
    const { asset, currency } = source.series[index]!
    const { price, observed } = this.#distorted(source, index, shown, fault)
    const receivedAt = this.at(received)
    const skew = this.#skewMinutes.get(source.provider) ?? 0
    const observedAt = source.observedBy === 'receiver' ? receivedAt : this.at(Math.max(0, observed + skew))
    const record: Quote = {
      ...{ kind: 'quote', provider: ProviderId(source.provider), asset: AssetId(asset.id) },
      ...{ symbol: asset.symbol, sourceId: asset.symbol, currency, price: DecimalString(price) },
      ...{ observedAt, observedBy: source.observedBy, receivedAt, revision: 0, origin: 'live' },
      ...{ runId: 'simulation', credits: Credits(1), rawRef: 'simulation' },
    }
    this.#list.push({ record, fault })
  }

  #distorted(
    source: SimSource,
    index: number,
    shown: Shown,
    fault: Fault | undefined,
  ): { readonly price: string; readonly observed: number } {
    const { asset, currency } = source.series[index]!
    const digits = source.digits(asset)
    const honest = shown.price.toFixed(digits)
    const observed = shown.observedMinute
    if (!fault) return { price: honest, observed }
    const { act } = fault
    const rate = (c: string): number => this.#s.market.rate(c, observed)
    if (act.kind === 'times') return { price: textOf(shown.price * act.factor, digits), observed }
    if (act.kind === 'turned') return { price: textOf(10 ** act.power / shown.price, digits), observed }
    if (act.kind === 'in-currency')
      return {
        price: this.#labelled(source, index, act.currency, shown, rate(act.currency) / rate(currency)),
        observed,
      }
    if (act.kind === 'clock-behind') return { price: honest, observed: observed - act.minutes }
    const key = `${source.provider}|${asset.id}|${currency}`
    const known = this.#frozen.get(key)
    const kept = known?.fault === fault ? known : { fault, price: honest, observed }
    this.#frozen.set(key, kept)
    return act.kind === 'freeze'
      ? { price: kept.price, observed }
      : { price: honest, observed: kept.observed }
  }

  /** The very digits of the other currency where the source has it, else its price turned into it. */
  #labelled(source: SimSource, index: number, currency: string, shown: Shown, rate: number): string {
    const { asset } = source.series[index]!
    const digits = source.digits(asset)
    const other = [...this.#list]
      .reverse()
      .find(
        ({ record }) =>
          record.kind === 'quote' &&
          record.provider === source.provider &&
          record.asset === asset.id &&
          record.currency === currency,
      )?.record
    return other?.kind === 'quote' ? other.price : textOf(shown.price * rate, digits)
  }

  #gap(
    source: SimSource,
    index: number,
    received: number,
    state: Gap['state'],
    reason: string,
    fault: Fault | undefined,
  ): void {
    const { asset, currency } = source.series[index]!
    const record: Gap = {
      ...{ kind: 'gap', provider: ProviderId(source.provider), dataset: 'quotes', asset: AssetId(asset.id) },
      ...{ sourceId: asset.symbol, currency, expectedAt: this.at(Math.floor(received)), state, reason },
      ...{ receivedAt: this.at(received), revision: 0, origin: 'live', runId: 'simulation', rawRef: '' },
    }
    this.#list.push({ record, fault })
  }
}

/** Fixed digits, unless nothing would be left of a small number. */
const textOf = (value: number, digits: number): string =>
  value > 10 ** (4 - digits) ? value.toFixed(digits) : value.toPrecision(8)
