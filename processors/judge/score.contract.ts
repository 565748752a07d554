import { performance } from 'node:perf_hooks'
import type { Fault } from './faults.contract.ts'
import { planFaults } from './faults.contract.ts'
import { Judge } from './judge.ts'
import { makeMarket, rngOf } from './market.contract.ts'
import { judgeDefaults } from './defaults.ts'
import type { JudgeParameters } from './parameters.ts'
import { type Simulation, Simulator } from './simulation.contract.ts'
import { makeSources } from './sources.contract.ts'
import { type Score, Tally } from './tally.contract.ts'

const startMs = Date.UTC(2025, 0, 1)
const warmUpMinutes = 960

export interface Trial {
  readonly seed: number
  readonly days: number
  readonly withFaults: boolean
  readonly faults?: readonly Fault[]
  readonly parameters?: JudgeParameters
}

export function makeSimulation({ seed, days, withFaults, faults }: Trial): Simulation {
  const minutes = Math.round(days * 1_440)
  // A stream of its own for each part: no two trials share one.
  const rng = (part: number): ReturnType<typeof rngOf> => rngOf(8 * seed + part)
  const market = makeMarket(8 * seed + 1, startMs, minutes)
  const sources = makeSources({ market, rng: rng(2) })
  const planned = withFaults ? planFaults(rng(3), sources, market, warmUpMinutes) : []
  return { startMs, market, sources, faults: faults ?? planned, rng: rng(4) }
}

/** Runs the judge over a simulated time, and holds each of its flags against what was injected. */
export function score(trial: Trial): Score {
  const simulation = makeSimulation(trial)
  const simulator = new Simulator(simulation)
  const judge = new Judge(trial.parameters ?? judgeDefaults)
  const tally = new Tally(simulation)
  const watch = new Watch()
  for (let minute = 0; minute < simulation.market.minutes; minute += 1) {
    const records = simulator.minute(minute)
    const flagged = watch.timed('observe', () =>
      records.map(({ record }) =>
        record.kind === 'quote' ? judge.observe(record) : judge.observeGap(record),
      ),
    )
    for (const [i, flags] of flagged.entries()) tally.add(flags, minute, records[i]?.fault)
    tally.quotes += records.length
    const outputs = watch.timed('minute', () => judge.minute(simulator.at(minute + 1)))
    for (const output of outputs) if (output.kind === 'source-flag') tally.add([output], minute, undefined)
  }
  return { ...tally.score(fault => simulator.isVisible(fault)), ...watch.cpuSeconds() }
}

/** Microseconds of this thread; of the process where Node does not know it. */
function cpuUsage(): number {
  const ofThread: (() => NodeJS.CpuUsage) | undefined = process.threadCpuUsage
  const { user, system } = ofThread?.() ?? process.cpuUsage()
  return user + system
}

/** CPU shared out by the time of each part: asking for the CPU twice a minute would cost more than the judge. */
class Watch {
  readonly #startedAt = performance.now()
  readonly #cpu = cpuUsage()
  readonly #ms = { observe: 0, minute: 0 }

  timed<T>(what: 'observe' | 'minute', work: () => T): T {
    const before = performance.now()
    const result = work()
    this.#ms[what] += performance.now() - before
    return result
  }

  cpuSeconds(): Pick<Score, 'observeCpuSeconds' | 'minuteCpuSeconds'> {
    const perMs = (cpuUsage() - this.#cpu) / 1e6 / (performance.now() - this.#startedAt)
    return {
      observeCpuSeconds: perMs * this.#ms.observe,
      minuteCpuSeconds: perMs * this.#ms.minute,
    }
  }
}
