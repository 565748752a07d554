import type { EpochMicros } from '../../core/brands.ts'
import type { ClockParameters } from './parameters.ts'
import { learnt } from './rest.ts'

/** Weight of a new step in the usual step. */
const weight = 0.1
const firstStepMs = 60_000
/** A step that is longer than this many usual ones (an outage) says no more than this many. */
const longestStep = 4

/** The clock of a source as one series shows it: how far it usually lies behind ours, and how it steps. Learns from what has ended. */
export class SourceClock {
  readonly #p: ClockParameters
  readonly #knownSince: EpochMicros
  #peakLagMs = 0
  #longestLagMs = 0
  #steps = 0
  /** Newest time that the source showed. */
  newest: EpochMicros
  /** Usual time between two values of the source. */
  stepMs = firstStepMs
  /** Since when it has not advanced, by our clock. */
  since: EpochMicros
  /** Of the last answer. */
  lagMs = 0
  constructor(observedAt: EpochMicros, receivedAt: EpochMicros, parameters: ClockParameters) {
    this.#p = parameters
    this.#knownSince = receivedAt
    this.newest = observedAt
    this.since = receivedAt
  }

  /** Lag from which on the clock is doubted. */
  limitMs(at: EpochMicros): number {
    const { floorMs, timesLongest, warmUpMs, warmUpSteps, unknownMs } = this.#p
    const known = (at - this.#knownSince) / 1_000 >= warmUpMs && this.#steps >= warmUpSteps
    return Math.max(known ? floorMs : unknownMs, timesLongest * this.#longestLagMs)
  }

  observe(observedAt: EpochMicros, receivedAt: EpochMicros): void {
    this.lagMs = Math.max(0, (receivedAt - observedAt) / 1_000)
    if (observedAt > this.newest) this.#advance(observedAt, receivedAt)
    else if (observedAt === this.newest) this.#peakLagMs = Math.max(this.#peakLagMs, this.lagMs)
  }

  /** A lag counts as usual only when the clock has come back from it: a clock that stays behind teaches nothing. */
  #advance(observedAt: EpochMicros, receivedAt: EpochMicros): void {
    const limitMs = this.limitMs(receivedAt)
    if (this.lagMs <= limitMs)
      this.#longestLagMs = learnt(this.#longestLagMs, this.#peakLagMs, this.#peakLagMs > limitMs)
    const step = Math.min((observedAt - this.newest) / 1_000, longestStep * this.stepMs)
    this.stepMs += weight * (step - this.stepMs)
    this.#steps += 1
    this.newest = observedAt
    this.since = receivedAt
    this.#peakLagMs = this.lagMs
  }
}
