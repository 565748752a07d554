import type { EpochMicros } from '../../core/brands.ts'
import { spanText } from './figures.ts'
import type { JudgeParameters } from './parameters.ts'
import { Longest, tailTimes } from './tail.ts'

/** Weight of a new step in the usual step. */
const weight = 0.1
const firstStepMs = 60_000
/** A step that is longer than this many usual ones (an outage) says no more than this many. */
const longestStep = 4
const leastMs = 60_000
const leastChanges = 1

/**
 * The clock of a source as one series shows it: how far it usually lies behind ours, how far at the moment of a step, and whether the
 * price moves while it stands. Learns from what has ended and was not doubted: a lag that never ends teaches nothing.
 */
export class SourceClock {
  readonly #p: Pick<JudgeParameters, 'clock' | 'tail'>
  readonly #knownSince: EpochMicros
  /** Of the last answer, and when it came. */
  #last: EpochMicros
  #lastAt: EpochMicros
  #peakLagMs = 0
  readonly #longestLagMs = new Longest(leastMs)
  readonly #longestFreshLagMs = new Longest(leastMs)
  readonly #mostChanges = new Longest(leastChanges)
  #steps = 0
  /** Steps in a row that came too late, and how late the last of them. */
  #behind = 0
  #lateMs = 0
  /** Changes of the digits since the last step. */
  #changes = 0
  /** Newest time that the source showed. */
  newest: EpochMicros
  /** Usual time between two values of the source. */
  stepMs = firstStepMs
  /** Since when it has not advanced, by our clock. */
  since: EpochMicros
  /** Of the last answer. */
  lagMs = 0
  constructor(
    observedAt: EpochMicros,
    receivedAt: EpochMicros,
    parameters: Pick<JudgeParameters, 'clock' | 'tail'>,
  ) {
    this.#p = parameters
    this.#knownSince = receivedAt
    this.#last = observedAt
    this.#lastAt = receivedAt
    this.newest = observedAt
    this.since = receivedAt
  }

  /** Why the clock of the last answer is doubted, as words to follow "the source's time"; undefined = it is not. */
  doubt(at: EpochMicros): string | undefined {
    const { floorMs, behindSteps, changesStanding } = this.#p.clock
    const limitMs = this.#limitMs(at, this.#longestLagMs)
    if (this.lagMs > limitMs)
      return `lies ${spanText(this.lagMs)} behind; more than ${spanText(limitMs)} is doubtful for this series`
    if (this.lagMs <= floorMs || !this.#isKnown(at)) return undefined
    if (this.#behind >= behindSteps)
      return `was ${spanText(this.lagMs)} behind at its last steps, too; ${spanText(this.#longestFreshLagMs.value)} was the most`
    if (this.#changes > Math.max(changesStanding - 1, this.#mostChanges.limit(this.#times)))
      return `stands still, ${spanText(this.lagMs)} behind, while the price changed ${this.#changes} times; ${this.#mostChanges.value} was the most`
    return undefined
  }

  /** One answer; `isChanged` = its digits are not those of the answer before. */
  observe(observedAt: EpochMicros, receivedAt: EpochMicros, isChanged: boolean): void {
    this.lagMs = Math.max(0, (receivedAt - observedAt) / 1_000)
    if (observedAt > this.#last) this.#step(receivedAt)
    else if (observedAt === this.#last && isChanged) this.#changes += 1
    if (observedAt > this.newest) this.#advance(observedAt, receivedAt)
    else if (observedAt === this.newest) this.#peakLagMs = Math.max(this.#peakLagMs, this.lagMs)
    this.#last = observedAt
    this.#lastAt = receivedAt
  }

  get #times(): number {
    return tailTimes(this.#steps, this.#p.tail)
  }

  #isKnown(at: EpochMicros): boolean {
    const { warmUpMs, warmUpSteps } = this.#p.clock
    return (at - this.#knownSince) / 1_000 >= warmUpMs && this.#steps >= warmUpSteps
  }

  #limitMs(at: EpochMicros, longest: Longest): number {
    const { floorMs, unknownMs } = this.#p.clock
    return Math.max(this.#isKnown(at) ? floorMs : unknownMs, longest.limit(this.#times))
  }

  /** The clock went on since the last answer, be it behind the newest: a cache may give an old answer now and then. */
  #step(receivedAt: EpochMicros): void {
    // What is new since the last answer may have happened at any time since then.
    const freshMs = Math.max(0, this.lagMs - (receivedAt - this.#lastAt) / 1_000)
    if (freshMs > this.#limitMs(receivedAt, this.#longestFreshLagMs)) {
      // Far less behind than before: it came back, to a last trade that may be old.
      this.#behind = freshMs < this.#lateMs / 2 ? 1 : this.#behind + 1
      this.#lateMs = freshMs
    } else {
      this.#behind = 0
      this.#lateMs = 0
      this.#longestFreshLagMs.learn(freshMs, false)
      const isDoubted = this.#isKnown(receivedAt) && this.#changes > this.#mostChanges.limit(this.#times)
      this.#mostChanges.learn(this.#changes, isDoubted)
    }
    this.#changes = 0
  }

  /** A lag counts as usual only when the clock has come back from it: a clock that stays behind teaches nothing. */
  #advance(observedAt: EpochMicros, receivedAt: EpochMicros): void {
    const limitMs = this.#limitMs(receivedAt, this.#longestLagMs)
    if (this.lagMs <= limitMs) this.#longestLagMs.learn(this.#peakLagMs, this.#peakLagMs > limitMs)
    const step = Math.min((observedAt - this.newest) / 1_000, longestStep * this.stepMs)
    this.stepMs += weight * (step - this.stepMs)
    this.#steps += 1
    this.newest = observedAt
    this.since = receivedAt
    this.#peakLagMs = this.lagMs
  }
}
