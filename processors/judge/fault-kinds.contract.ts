import type { FlagKind } from '../../core/records.ts'
import type { Fault } from './faults.contract.ts'
import { between, pick, type Rng, type SimAsset } from './market.contract.ts'
import { visibleChanges } from './sight.contract.ts'
import type { SimSource } from './sources.contract.ts'

export const hours = (rng: Rng, low: number, high: number): number => Math.ceil(60 * between(rng, low, high))

interface Draft extends Pick<Fault, 'what' | 'providers' | 'act'> {
  readonly currency?: string
  readonly minutes: number
}

export const seriesOf = (source: SimSource, asset: SimAsset): readonly string[] =>
  source.series.filter(s => s.asset === asset).map(s => s.currency)

const tries = 100

/**
 * So far off, up or down, but by no rate between two currencies: that would be another lie. undefined = the rates of that day leave no
 * room for it.
 */
function offFactor(rng: Rng, low: number, high: number, rate: Rate): number | undefined {
  const rates = [rate('EUR'), rate('GBP'), rate('EUR') / rate('GBP')]
  const all = [...rates, ...rates.map(r => 1 / r)]
  for (let n = 0; n < tries; n += 1) {
    const factor = 1 + between(rng, low, high) * (rng() < 0.5 ? -1 : 1)
    if (all.every(r => Math.abs(Math.log(factor / r)) > 0.04)) return factor
  }
  return undefined
}

/** Units of a currency for a dollar at the time of the lie. */
export type Rate = (currency: string) => number
type Make = (rng: Rng, asset: SimAsset, sources: readonly SimSource[], rate: Rate) => Draft | undefined

/**
 * From one hour to `most`, as many short ones as long ones; and longer where the series itself moves rarely, but for one of four: that
 * one may be too short to be seen by nature.
 */
function standing(rng: Rng, most: number, rhythm: number): number {
  const minutes = Math.ceil(60 * most ** rng())
  if (rng() < 0.25) return minutes
  return Math.max(minutes, Math.ceil(rhythm * visibleChanges * between(rng, 1, 2.5)))
}

const rhythmOf = (source: SimSource, asset: SimAsset, currency: string): ReturnType<SimSource['rhythm']> =>
  source.rhythm(source.series.findIndex(s => s.asset === asset && s.currency === currency))

const freeze: Make = (rng, asset, sources) => {
  const source = pick(rng, sources)
  const currency = pick(rng, seriesOf(source, asset))
  const act = { kind: 'freeze' } as const
  const minutes = standing(rng, 48, rhythmOf(source, asset, currency).digits)
  return { what: 'one value for hours', providers: [source.provider], currency, minutes, act }
}

const inCurrency: Make = (rng, asset, sources) => {
  const source = pick(rng, sources)
  const label = pick(rng, seriesOf(source, asset))
  const currency = pick(
    rng,
    ['USD', 'EUR', 'GBP'].filter(c => c !== label),
  )
  const act = { kind: 'in-currency', currency } as const
  return {
    what: 'another currency',
    providers: [source.provider],
    currency: label,
    minutes: hours(rng, 1, 12),
    act,
  }
}

const labels: Make = (rng, asset, sources) => {
  const several = sources.filter(s => seriesOf(s, asset).length > 1)
  if (several.length === 0) return undefined
  const act = { kind: 'in-currency', currency: 'USD' } as const
  const provider = pick(rng, several).provider
  return { what: 'USD under every label', providers: [provider], minutes: hours(rng, 1, 24), act }
}

const unit: Make = (rng, asset, sources) => {
  const source = pick(rng, sources)
  const power = pick(rng, [-8, -6, -3, -2, -1, 1, 2, 3, 6, 8])
  const turned = rng() < 0.3
  const act = turned
    ? ({ kind: 'turned', power: pick(rng, [0, 3, 6, 8]) } as const)
    : ({ kind: 'times', factor: 10 ** power } as const)
  const what = turned ? 'price turned over' : 'power of ten'
  const currency = pick(rng, seriesOf(source, asset))
  return { what, providers: [source.provider], currency, minutes: hours(rng, 0.25, 6), act }
}

const off: Make = (rng, _asset, sources, rate) => {
  const source = pick(rng, sources)
  const factor = offFactor(rng, 0.05, 0.7, rate)
  if (factor === undefined) return undefined
  const act = { kind: 'times', factor } as const
  return {
    what: '5 to 70 % off',
    providers: [source.provider],
    currency: 'USD',
    minutes: hours(rng, 0.25, 3),
    act,
  }
}

const clock: Make = (rng, asset, sources) => {
  const source = pick(
    rng,
    sources.filter(s => s.observedBy === 'source'),
  )
  const [what, act] = pick(rng, [
    ['time stands still', { kind: 'clock-stops' }],
    ['time hours behind', { kind: 'clock-behind', minutes: hours(rng, 2, 12) }],
    ['one old answer for ever', { kind: 'cached' }],
  ] as const)
  const currency = pick(rng, seriesOf(source, asset))
  const minutes = standing(rng, 24, rhythmOf(source, asset, currency).clock)
  return { what, providers: [source.provider], currency, minutes, act }
}

const gone: Make = (rng, _asset, sources) => {
  const source = pick(rng, sources)
  const act = { kind: 'gap', state: 'missing', reason: 'not in the answer' } as const
  return { what: 'gone from answers', providers: [source.provider], minutes: hours(rng, 2, 12), act }
}

const given: Make = (rng, asset, sources) => {
  const several = sources.filter(s => s.series.every(x => x.asset === asset))
  if (several.length === 0) return undefined
  const act = { kind: 'freeze' } as const
  const provider = pick(rng, several).provider
  return { what: 'all values frozen, clock goes on', providers: [provider], minutes: hours(rng, 24, 72), act }
}

const shape: Make = (rng, _asset, sources) => {
  const source = pick(rng, sources)
  const reason = '$.data.1.quote.USD.price: wanted a decimal number, got nothing'
  const act = { kind: 'gap', state: rng() < 0.5 ? 'missing' : 'failed', reason } as const
  return { what: 'another shape', providers: [source.provider], minutes: hours(rng, 1, 12), act }
}

const halves: Make = (rng, _asset, sources, rate) => {
  const inDollars = sources.filter(s => s.series[0]?.currency === 'USD')
  const providers = inDollars
    .toSorted(() => rng() - 0.5)
    .slice(0, inDollars.length / 2)
    .map(s => s.provider)
  const factor = offFactor(rng, 0.03, 0.12, rate)
  if (factor === undefined) return undefined
  const act = { kind: 'times', factor } as const
  return { what: 'half against half', providers, currency: 'USD', minutes: hours(rng, 0.5, 3), act }
}

export const makers: Readonly<Record<FlagKind, readonly Make[]>> = {
  'frozen-value': [freeze],
  'wrong-currency': [inCurrency, labels],
  'unit-jump': [unit],
  outlier: [off],
  'stale-clock': [clock],
  'silent-deprecation': [gone, given],
  'changed-json': [shape],
  divergence: [halves],
}
