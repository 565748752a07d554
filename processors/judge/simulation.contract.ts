import { AssetId, Credits, DecimalString, EpochMicros, ProviderId } from '../../core/brands.ts'
import type { Gap, Quote } from '../../core/records.ts'
import { Distortion } from './distort.contract.ts'
import type { Fault } from './faults.contract.ts'
import { between, type Market, type Rng, type SimAsset } from './market.contract.ts'
import { type Outage, outagesOf } from './outages.contract.ts'
import type { Honest } from './sight.contract.ts'
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

const micros = (startMs: number, minute: number): EpochMicros =>
  EpochMicros(Math.round((startMs + minute * 60_000) * 1_000))

const honestOf = (source: SimSource, index: number, { price, observedMinute }: Shown): Honest => ({
  digits: price.toFixed(source.digits(source.series[index]!.asset)),
  ...{ price, observed: observedMinute },
})

/** Every record of the sources, minute by minute, in the order of their arrival. The list is used again for the next minute. */
export class Simulator {
  readonly #s: Simulation
  readonly #outages: ReadonlyMap<string, readonly Outage[]>
  readonly #skewMinutes: ReadonlyMap<string, number>
  readonly #distortion: Distortion
  readonly #halves: readonly Fault[]
  readonly #list: SimRecord[] = []
  constructor(simulation: Simulation) {
    this.#s = simulation
    this.#halves = simulation.faults.filter(f => f.expected === 'divergence')
    this.#distortion = new Distortion(simulation.market)
    this.#outages = outagesOf(simulation)
    this.#skewMinutes = new Map(
      simulation.sources.map(s => [s.provider, between(simulation.rng, -2, 2) / 60]),
    )
  }

  /** Whether the lie could be seen, as far as the time has come. */
  isVisible(fault: Fault): boolean {
    return this.#distortion.sight.isVisible(fault)
  }

  at(minute: number): EpochMicros {
    return micros(this.#s.startMs, minute)
  }

  minute(minute: number): readonly SimRecord[] {
    this.#list.length = 0
    for (const fault of this.#halves)
      if (minute >= fault.from && minute < fault.to && this.#standsHalf(fault, minute))
        this.#distortion.sight.seeHalves(fault)
    for (const [index, source] of this.#s.sources.entries())
      if ((minute + index) % source.everyMinutes === 0) this.#answer(source, minute)
    return this.#list.sort((a, b) => a.record.receivedAt - b.record.receivedAt)
  }

  /** Whether as many of the sources of that price lie as do not, of those that answer. */
  #standsHalf({ asset, currency, providers }: Fault, minute: number): boolean {
    const answering = this.#s.sources.filter(
      s => s.series.some(x => x.asset.id === asset && x.currency === currency) && !this.#outageOf(s, minute),
    )
    const lying = answering.filter(s => providers.includes(s.provider)).length
    return lying > 0 && 2 * lying === answering.length
  }

  #outageOf({ provider }: SimSource, minute: number): Outage | undefined {
    return this.#outages.get(provider)?.find(o => minute >= o.from && minute < o.to)
  }

  #answer(source: SimSource, minute: number): void {
    const { rng } = this.#s
    const outage = this.#outageOf(source, minute)
    const received = minute + between(rng, 0.05, 0.9)
    for (const [index, { asset, currency }] of source.series.entries()) {
      const shown = source.show(index, received)
      if (outage) {
        if (outage.state) this.#gap(source, index, received, outage.state, 'HTTP 503', undefined)
        continue
      }
      const fault = this.#faultOf(source, asset, currency, minute)
      if (fault?.act.kind === 'gap') {
        this.#distortion.of(fault, { source, index }, honestOf(source, index, shown), this.#list)
        this.#gap(source, index, received, fault.act.state, fault.act.reason, fault)
      } else if (!fault && rng() < 2e-4)
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
    const honest = honestOf(source, index, shown)
    const { price, observed } = this.#distortion.of(fault, { source, index }, honest, this.#list)
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
