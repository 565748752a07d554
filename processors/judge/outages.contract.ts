import { between, pick } from './market.contract.ts'
import type { Simulation } from './simulation.contract.ts'

/** Nobody asks (no state), or the provider does not answer. */
export interface Outage {
  readonly from: number
  readonly to: number
  readonly state: 'failed' | 'provider-down' | 'denied' | undefined
}

/** Nobody runs: no records at all. Or a provider is down, or the quota is used up: gaps. */
export function outagesOf({
  rng,
  market,
  sources,
}: Pick<Simulation, 'rng' | 'market' | 'sources'>): ReadonlyMap<string, readonly Outage[]> {
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
