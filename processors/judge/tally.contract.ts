import { type FlagKind, flagKinds, type SourceFlag } from '../../core/records.ts'
import type { Fault } from './faults.contract.ts'
import type { Simulation } from './simulation.contract.ts'

/** Sources at their own pace take so long to agree again after a lie has ended (the slowest publishes every 10 minutes). */
const graceMinutes = 30

export interface Score {
  readonly quotes: number
  readonly faults: readonly Fault[]
  /** Those that could be seen before they ended; see `sight.contract.ts`. */
  readonly visible: ReadonlySet<Fault>
  /** Minutes until the expected flag, by the fault; absent = never. */
  readonly found: ReadonlyMap<Fault, number>
  /** Flags on rows without a lie. */
  readonly falseAlarms: readonly SourceFlag[]
  /** Flags on rows that carry a lie. */
  readonly flags: readonly { readonly flag: FlagKind; readonly fault: Fault }[]
  /** Seconds of CPU in the judge. */
  readonly observeCpuSeconds: number
  readonly minuteCpuSeconds: number
}

/** Holds flags against lies. */
export class Tally {
  readonly #s: Simulation
  readonly #found = new Map<Fault, number>()
  readonly #false: SourceFlag[] = []
  readonly #flags: { readonly flag: FlagKind; readonly fault: Fault }[] = []
  quotes = 0
  constructor(simulation: Simulation) {
    this.#s = simulation
  }

  add(flags: readonly SourceFlag[], minute: number, carried: Fault | undefined): void {
    for (const flag of flags) {
      const fault = carried ?? this.#explains(flag, minute)
      if (!fault) {
        this.#false.push(flag)
        continue
      }
      this.#flags.push({ flag: flag.flag, fault })
      if (flag.flag === fault.expected && !this.#found.has(fault)) this.#found.set(fault, minute - fault.from)
    }
  }

  /**
   * An event on the consensus has the lie of any source of it; where half stands against half, nobody knows who lies; a row just after
   * a lie may still answer for it.
   */
  #explains(flag: SourceFlag, minute: number): Fault | undefined {
    return this.#s.faults.find(
      f =>
        f.asset === flag.asset &&
        (f.currency === undefined || f.currency === flag.currency) &&
        (flag.provider === 'consensus' ||
          f.expected === 'divergence' ||
          f.providers.includes(flag.provider)) &&
        minute >= f.from &&
        minute < f.to + graceMinutes,
    )
  }

  score(isVisible: (fault: Fault) => boolean): Omit<Score, 'observeCpuSeconds' | 'minuteCpuSeconds'> {
    const { faults } = this.#s
    const visible = new Set(faults.filter(isVisible))
    return {
      ...{ quotes: this.quotes, faults, visible },
      ...{ found: this.#found, falseAlarms: this.#false, flags: this.#flags },
    }
  }
}

/** Flags that say the same of a lie in other words. A label that is wrong, a unit, a price that is off have none. */
function namesOf({ expected, act }: Fault): readonly FlagKind[] {
  // All series of a provider frozen is told of each of them and of the provider; and what stands still is soon far from the others.
  if (act.kind === 'freeze') return ['frozen-value', 'silent-deprecation', 'outlier', 'divergence']
  // An old answer for ever has an old time and an old price.
  if (act.kind === 'cached')
    return ['stale-clock', 'frozen-value', 'silent-deprecation', 'outlier', 'divergence']
  return [expected]
}

export interface ScoreRow {
  readonly flag: FlagKind
  /** Lies that could be seen, and how many of them were. */
  readonly visible: number
  readonly found: number
  /** Of `visible`; 1 where there is none. */
  readonly recall: number
  /** Lies that could not be seen, and how many of them were all the same. */
  readonly invisible: number
  readonly invisibleFound: number
  readonly falseAlarms: number
  /** Flags of the kind on rows with a lie that the flag names, and on rows with any lie, of all flags of the kind. 1 for no flag. */
  readonly strictPrecision: number
  readonly precision: number
  /** Minutes from the start of the lie to its flag, of those found that could be seen; ascending. */
  readonly delays: readonly number[]
}

/** One row a detector, over several trials. */
export const tableOf = (scores: readonly Score[]): readonly ScoreRow[] =>
  flagKinds.map(flag => rowOf(flag, scores))

function rowOf(flag: FlagKind, scores: readonly Score[]): ScoreRow {
  const mine = scores.flatMap(s =>
    s.faults
      .filter(f => f.expected === flag)
      .map(f => ({ visible: s.visible.has(f), delay: s.found.get(f) })),
  )
  const visible = mine.filter(m => m.visible)
  const delays = visible.flatMap(m => m.delay ?? []).toSorted((a, b) => a - b)
  const falseAlarms = scores.flatMap(s => s.falseAlarms).filter(f => f.flag === flag).length
  const good = scores.flatMap(s => s.flags.filter(f => f.flag === flag))
  const strict = good.filter(({ fault }) => namesOf(fault).includes(flag)).length
  const all = good.length + falseAlarms
  const share = (count: number): number => (all === 0 ? 1 : count / all)
  return {
    ...{ flag, visible: visible.length, found: delays.length, falseAlarms, delays },
    recall: visible.length === 0 ? 1 : delays.length / visible.length,
    invisible: mine.length - visible.length,
    invisibleFound: mine.filter(m => !m.visible && m.delay !== undefined).length,
    ...{ strictPrecision: share(strict), precision: share(good.length) },
  }
}
