import type { FlagKind } from '../../core/records.ts'
import { flagKinds } from '../../core/records.ts'
import { between, pick, type Rng, type SimAsset, simAssets } from './market.contract.ts'
import type { SimSource } from './sources.contract.ts'

/** One injected lie: who, when (minutes since the start), and how. */
export interface Fault {
  readonly expected: FlagKind
  readonly what: string
  readonly from: number
  readonly to: number
  readonly asset: string
  readonly providers: readonly string[]
  /** undefined = all of the providers. */
  readonly currency?: string
  readonly act: FaultAct
}

export type FaultAct =
  | { readonly kind: 'freeze' }
  | { readonly kind: 'in-currency'; readonly currency: string }
  | { readonly kind: 'times'; readonly factor: number }
  | { readonly kind: 'turned'; readonly power: number }
  | { readonly kind: 'clock-stops' }
  | { readonly kind: 'clock-behind'; readonly minutes: number }
  | { readonly kind: 'gap'; readonly state: 'missing' | 'failed'; readonly reason: string }

const hours = (rng: Rng, low: number, high: number): number => Math.ceil(60 * between(rng, low, high))

interface Draft extends Pick<Fault, 'what' | 'providers' | 'act'> {
  readonly currency?: string
  readonly minutes: number
}

const seriesOf = (source: SimSource, asset: SimAsset): readonly string[] =>
  source.series.filter(s => s.asset === asset).map(s => s.currency)

/** So far off, up or down, but by no rate between two currencies. */
function offFactor(rng: Rng, low: number, high: number): number {
  for (;;) {
    const factor = 1 + between(rng, low, high) * (rng() < 0.5 ? -1 : 1)
    const rates = [0.921, 0.786, 0.921 / 0.786]
    if ([...rates, ...rates.map(r => 1 / r)].every(r => Math.abs(Math.log(factor / r)) > 0.04)) return factor
  }
}

type Make = (rng: Rng, asset: SimAsset, sources: readonly SimSource[]) => Draft | undefined

const freeze: Make = (rng, asset, sources) => {
  const source = pick(rng, sources)
  const currency = pick(rng, seriesOf(source, asset))
  const act = { kind: 'freeze' } as const
  return {
    what: 'one value for hours',
    providers: [source.provider],
    currency,
    minutes: hours(rng, 10, 48),
    act,
  }
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

const off: Make = (rng, _asset, sources) => {
  const source = pick(rng, sources)
  const act = { kind: 'times', factor: offFactor(rng, 0.05, 0.7) } as const
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
  const stops = rng() < 0.5
  const act = stops
    ? ({ kind: 'clock-stops' } as const)
    : ({ kind: 'clock-behind', minutes: hours(rng, 2, 12) } as const)
  const what = stops ? 'time stands still' : 'time hours behind'
  const currency = pick(rng, seriesOf(source, asset))
  return { what, providers: [source.provider], currency, minutes: hours(rng, 12, 24), act }
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

const halves: Make = (rng, _asset, sources) => {
  const inDollars = sources.filter(s => s.series[0]?.currency === 'USD')
  const providers = inDollars
    .toSorted(() => rng() - 0.5)
    .slice(0, inDollars.length / 2)
    .map(s => s.provider)
  const act = { kind: 'times', factor: offFactor(rng, 0.03, 0.12) } as const
  return { what: 'half against half', providers, currency: 'USD', minutes: hours(rng, 0.5, 3), act }
}

const makers: Readonly<Record<FlagKind, readonly Make[]>> = {
  'frozen-value': [freeze],
  'wrong-currency': [inCurrency, labels],
  'unit-jump': [unit],
  outlier: [off],
  'stale-clock': [clock],
  'silent-deprecation': [gone, given],
  'changed-json': [shape],
  divergence: [halves],
}

/** Lies one after the other on each asset, with hours of truth between, from `warmUpMinutes` on. */
export function planFaults(
  rng: Rng,
  sources: readonly SimSource[],
  range: { readonly warmUpMinutes: number; readonly minutes: number },
): readonly Fault[] {
  const faults: Fault[] = []
  for (const asset of simAssets) {
    let at = range.warmUpMinutes + hours(rng, 0, 6)
    for (let i = Math.floor(rng() * 8); at < range.minutes; i += 1) {
      const expected = flagKinds[i % flagKinds.length]!
      const own = sources.filter(s => seriesOf(s, asset).length > 0)
      const draft = pick(rng, makers[expected])(rng, asset, own)
      if (!draft) continue
      const { minutes, ...rest } = draft
      if (at + minutes > range.minutes) break
      faults.push({ ...rest, expected, asset: asset.id, from: at, to: at + minutes })
      at += minutes + hours(rng, 3, 8)
    }
  }
  return faults
}
