import { type FlagKind, flagKinds, type SourceFlag } from '../../core/records.ts'
import { type Fault, planFaults } from './faults.contract.ts'
import { Judge } from './judge.ts'
import { makeMarket, rngOf } from './market.contract.ts'
import { type JudgeParameters, judgeDefaults } from './parameters.ts'
import { type Simulation, Simulator } from './simulation.contract.ts'
import { makeSources } from './sources.contract.ts'

/** Sources at their own pace take so long to agree again after a lie has ended (the slowest publishes every 10 minutes). */
const graceMinutes = 30
const startMs = Date.UTC(2025, 0, 1)

export interface Score {
  readonly quotes: number
  readonly faults: readonly Fault[]
  /** Minutes until the expected flag, by the fault; absent = never. */
  readonly found: ReadonlyMap<Fault, number>
  /** Flags on rows without a lie. */
  readonly falseAlarms: readonly SourceFlag[]
  /** By kind: flags on rows that carry a lie. */
  readonly flags: ReadonlyMap<FlagKind, number>
  /** Seconds of CPU in the judge. */
  readonly observeCpuSeconds: number
  readonly minuteCpuSeconds: number
}

export interface Trial {
  readonly seed: number
  readonly days: number
  readonly withFaults: boolean
  readonly faults?: readonly Fault[]
  readonly parameters?: JudgeParameters
}

export function makeSimulation({ seed, days, withFaults, faults }: Trial): Simulation {
  const minutes = Math.round(days * 1_440)
  const rng = rngOf(seed)
  const market = makeMarket(seed + 1, startMs, minutes)
  const sources = makeSources({ market, rng: rngOf(seed + 2) })
  const planned = withFaults ? planFaults(rngOf(seed + 3), sources, { warmUpMinutes: 960, minutes }) : []
  return { startMs, market, sources, faults: faults ?? planned, rng }
}

/** Runs the judge over a simulated time, and holds each of its flags against what was injected. */
export function score(trial: Trial): Score {
  const simulation = makeSimulation(trial)
  const simulator = new Simulator(simulation)
  const judge = new Judge(trial.parameters ?? judgeDefaults)
  const tally = new Tally(simulation)
  for (let minute = 0; minute < simulation.market.minutes; minute += 1) {
    const records = simulator.minute(minute)
    const flagged = tally.timed('observe', () =>
      records.map(({ record }) =>
        record.kind === 'quote' ? judge.observe(record) : judge.observeGap(record),
      ),
    )
    for (const [i, flags] of flagged.entries()) tally.add(flags, minute, records[i]?.fault)
    tally.quotes += records.length
    const outputs = tally.timed('minute', () => judge.minute(simulator.at(minute + 1)))
    for (const output of outputs) if (output.kind === 'source-flag') tally.add([output], minute, undefined)
  }
  return tally.score()
}

class Tally {
  readonly #s: Simulation
  readonly #found = new Map<Fault, number>()
  readonly #false: SourceFlag[] = []
  readonly #flags = new Map<FlagKind, number>()
  readonly #cpu = { observe: 0, minute: 0 }
  quotes = 0
  constructor(simulation: Simulation) {
    this.#s = simulation
  }

  timed<T>(what: 'observe' | 'minute', work: () => T): T {
    const before = process.cpuUsage()
    const result = work()
    const { user, system } = process.cpuUsage(before)
    this.#cpu[what] += (user + system) / 1e6
    return result
  }

  add(flags: readonly SourceFlag[], minute: number, carried: Fault | undefined): void {
    for (const flag of flags) {
      const fault = carried ?? this.#explains(flag, minute)
      if (!fault) {
        this.#false.push(flag)
        continue
      }
      this.#flags.set(flag.flag, (this.#flags.get(flag.flag) ?? 0) + 1)
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

  score(): Score {
    const { faults } = this.#s
    const cpu = { observeCpuSeconds: this.#cpu.observe, minuteCpuSeconds: this.#cpu.minute }
    return {
      quotes: this.quotes,
      faults,
      found: this.#found,
      falseAlarms: this.#false,
      flags: this.#flags,
      ...cpu,
    }
  }
}

export interface ScoreRow {
  readonly flag: FlagKind
  readonly injected: number
  readonly found: number
  readonly recall: number
  readonly falseAlarms: number
  readonly precision: number
  readonly delays: readonly number[]
}

/** One row a detector, over several trials. Precision = flags on rows with a lie, of all flags of the kind; 1 where there is none. */
export function tableOf(scores: readonly Score[]): readonly ScoreRow[] {
  return flagKinds.map(flag => {
    const faults = scores.flatMap(s => s.faults.filter(f => f.expected === flag).map(f => s.found.get(f)))
    const delays = faults.filter(d => d !== undefined).toSorted((a, b) => a - b)
    const falseAlarms = scores.reduce((n, s) => n + s.falseAlarms.filter(f => f.flag === flag).length, 0)
    const good = scores.reduce((n, s) => n + (s.flags.get(flag) ?? 0), 0)
    const precision = good + falseAlarms === 0 ? 1 : good / (good + falseAlarms)
    const recall = faults.length === 0 ? 1 : delays.length / faults.length
    return { flag, injected: faults.length, found: delays.length, recall, falseAlarms, precision, delays }
  })
}
