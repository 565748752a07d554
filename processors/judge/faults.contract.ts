import type { FlagKind } from '../../core/records.ts'
import { flagKinds } from '../../core/records.ts'
import { type Market, pick, type Rng, simAssets } from './market.contract.ts'
import { hours, makers, seriesOf } from './fault-kinds.contract.ts'
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
  | { readonly kind: 'cached' }
  | { readonly kind: 'clock-behind'; readonly minutes: number }
  | { readonly kind: 'gap'; readonly state: 'missing' | 'failed'; readonly reason: string }

/** Lies one after the other on each asset, with hours of truth between, from `warmUpMinutes` on. */
export function planFaults(
  rng: Rng,
  sources: readonly SimSource[],
  market: Market,
  warmUpMinutes: number,
): readonly Fault[] {
  const faults: Fault[] = []
  for (const asset of simAssets) {
    let at = warmUpMinutes + hours(rng, 0, 6)
    for (let i = Math.floor(rng() * 8); at < market.minutes; i += 1) {
      const expected = flagKinds[i % flagKinds.length]!
      const own = sources.filter(s => seriesOf(s, asset).length > 0)
      const draft = pick(rng, makers[expected])(rng, asset, own, c => market.rate(c, at))
      if (!draft) continue
      const { minutes, ...rest } = draft
      if (at + minutes > market.minutes) break
      faults.push({ ...rest, expected, asset: asset.id, from: at, to: at + minutes })
      at += minutes + hours(rng, 3, 8)
    }
  }
  return faults
}
