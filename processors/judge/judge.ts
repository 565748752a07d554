import type { EpochMicros } from '../../core/brands.ts'
import { consensusProvider } from '../../core/records.ts'
import type { Consensus, FlagKind, Gap, Quote, Serving, SourceFlag } from '../../core/records.ts'
import { DAY } from '../../core/time.ts'
import { aheadText, isAhead } from './ahead.ts'
import { Board, type Group, type Place, worldOf } from './board.ts'
import { consensusOf, consensusQuote, divergenceOf } from './consensus.ts'
import type { Detector, GapDetector, Sample } from './detector.ts'
import { changedJson, wrongShape } from './detectors/changed-json.ts'
import { frozenValue, restLimitsOf } from './detectors/frozen-value.ts'
import { isNewBesideOne } from './detectors/newcomer.ts'
import { outlier } from './detectors/outlier.ts'
import { goneFromAnswers, silentDeprecation } from './detectors/silent-deprecation.ts'
import { staleClock } from './detectors/stale-clock.ts'
import { unitJump } from './detectors/unit-jump.ts'
import { hasSameDigits, wrongCurrency } from './detectors/wrong-currency.ts'
import { flagOf, noteDoubts } from './doubts.ts'
import { isPrice, lnOf, lnOfPercent } from './figures.ts'
import { judgeDefaults } from './defaults.ts'
import type { JudgeParameters } from './parameters.ts'
import { peersOf } from './peers.ts'
import type { Series, World } from './series.ts'
import { servingOf } from './serving.ts'

export type JudgeOutput = Quote | Consensus | Serving | SourceFlag

/** Each says something of its own. */
const detectors: readonly (readonly [FlagKind, Detector])[] = [
  ['frozen-value', frozenValue],
  ['silent-deprecation', silentDeprecation],
  ['stale-clock', staleClock],
]
/** Explanations of a price that is off: the first that fits is the one. */
const explanations: readonly (readonly [FlagKind, Detector])[] = [
  ['unit-jump', unitJump],
  ['wrong-currency', wrongCurrency],
  ['outlier', outlier],
]
const gapDetectors: readonly (readonly [FlagKind, GapDetector])[] = [
  ['changed-json', changedJson],
  ['silent-deprecation', goneFromAnswers],
]

/** A daily close is the last microsecond of its UTC day: history, whatever its origin. */
const isDailyClose = (quote: Quote): boolean => (quote.observedAt + 1) % (DAY * 1_000) === 0

/**
 * Doubts about sources, the consensus of those that nobody doubts, and who serves. Pure: no clock, no I/O; the same records in the same
 * order give the same outputs, and a record that comes twice changes nothing. Order matters within a series only.
 */
export class Judge {
  readonly #p: JudgeParameters
  readonly #board: Board
  readonly #on: ReadonlySet<FlagKind>
  constructor(parameters: JudgeParameters = judgeDefaults) {
    this.#p = parameters
    this.#board = new Board(parameters)
    this.#on = new Set(parameters.detectors)
  }

  /** A daily close, or what else a backfill brought: history, whatever its origin. */
  #isPast(quote: Quote): boolean {
    return isDailyClose(quote) || this.#p.histories.some(name => quote.rawRef.startsWith(`${name}/`))
  }

  /**
   * One price. Returns the doubts about it. What no price can be, own consensus, backfill, replay, daily closes and what is older
   * than known are passed over, and what lies further ahead of our clock (`now`) than clocks may differ: a series that has nothing
   * else is opened with it, is believed by nobody, and begins anew with the next value.
   */
  observe(quote: Quote, now: EpochMicros = quote.receivedAt): readonly SourceFlag[] {
    const world = worldOf(quote.origin)
    if (!world || quote.provider === consensusProvider || this.#isPast(quote)) return []
    if (!isPrice(quote.price)) return []
    const known = this.#knownBy(now, world, quote)
    const ahead = aheadText(quote, now, this.#p)
    if (known && ahead !== undefined) known.ahead = ahead
    if (known && (ahead !== undefined || isOld(quote, known.latest))) return []
    this.#board.allow(world, quote)
    const series = known ?? this.#board.open(world, quote)
    series.clock.observe(quote.observedAt, quote.receivedAt, quote.price !== series.latest.price)
    // A cache that answers with the value before is no news; one that lies too far behind is judged below.
    if (quote.observedAt < series.clock.newest && series.clock.doubt(quote.receivedAt) === undefined)
      return []
    const sample = this.#take(quote, series)
    const found = this.#judge(sample)
    const flags = noteDoubts(series, quote, found, this.#p.cleanValues)
    if (series.isSane && series.sameDigits === 0) series.trust(quote, sample.ln - sample.peers.median)
    return flags
  }

  /** After our clock went back, what came before that would hide all that comes now. */
  #knownBy(now: EpochMicros, world: World, place: Place): Series | undefined {
    const known = this.#board.find(world, place)
    if (!known || aheadText(known.latest, now, this.#p) === undefined) return known
    this.#board.drop(known)
    return undefined
  }

  /** An answer without the value. Returns the doubt about its source, whose `observedAt` is the slot's. */
  observeGap(gap: Gap, now: EpochMicros = gap.receivedAt): readonly SourceFlag[] {
    const world = worldOf(gap.origin)
    if (!world || isAhead(gap.receivedAt, now, this.#p)) return []
    const series = this.#board.find(world, gap)
    const isKnown = series !== undefined && gap.receivedAt < series.latest.receivedAt
    if (gap.state === 'denied' && !isKnown) this.#board.deny(world, gap, gap)
    if (!series || gap.expectedAt <= series.lastGapAt || gap.receivedAt < series.latest.receivedAt) return []
    series.lastGapAt = gap.expectedAt
    const { state, receivedAt, reason } = gap
    if (state === 'failed' || state === 'provider-down') {
      const { since, calls } = series.failed ?? { since: receivedAt, calls: 0 }
      series.failed = { since, calls: calls + 1, reason }
    }
    if (wrongShape(gap)) series.wrongShape += 1
    else if (gap.state === 'missing') series.missing += 1
    const found = new Map<FlagKind, string>()
    for (const [flag, detector] of gapDetectors) {
      const evidence = this.#on.has(flag) ? detector(gap, series, this.#p) : undefined
      if (evidence !== undefined) found.set(flag, evidence)
    }
    return [...found].map(([flag, evidence]) =>
      flagOf(series, { ...gap, observedAt: gap.expectedAt }, flag, evidence),
    )
  }

  /**
   * What is so at a minute of the UTC grid, from all that was observed: per asset and currency the consensus, its row, the event of a
   * divergence, and who serves. `workedOutAt` decides between two answers for one minute: the later one wins. Each price is worked out by
   * itself: where `onFailed` is given it is told what one of them throws, and the others go on.
   */
  minute(
    at: EpochMicros,
    workedOutAt: EpochMicros = at,
    onFailed?: (error: unknown) => void,
  ): readonly JudgeOutput[] {
    this.#board.forget(at)
    return this.#board.groups().flatMap(group => {
      try {
        return this.#minuteOf(group, at, workedOutAt)
      } catch (error) {
        if (!onFailed) throw error
        onFailed(error)
        return []
      }
    })
  }

  #minuteOf(group: Group, at: EpochMicros, workedOutAt: EpochMicros): readonly JudgeOutput[] {
    const outputs: JudgeOutput[] = []
    const agreed = consensusOf(group, at, workedOutAt, this.#p)
    if (agreed) {
      const { consensus, parted } = agreed
      if (parted === undefined) outputs.push(consensus, consensusQuote(consensus))
      const event = this.#on.has('divergence') ? divergenceOf(group, consensus, this.#p) : undefined
      if (event) outputs.push(event)
    } else group.divergent = undefined
    outputs.push(
      servingOf(group, at, workedOutAt, {
        parameters: this.#p,
        parted: agreed?.parted,
        deniedOf: provider => this.#board.denied(group.world, { ...group, provider }),
      }),
    )
    return outputs
  }

  /** Lets the series see the quote, and gathers what the rules need. */
  #take(quote: Quote, series: Series): Sample {
    const p = this.#p
    const at = quote.receivedAt
    const ln = quote.price === series.latest.price ? series.ln : lnOf(quote.price)
    const paused = !series.isHeard(at, p.peerMaxAgeMs)
    const peers = peersOf(
      quote,
      ln,
      series,
      this.#board.others(series, at, 'voices'),
      lnOfPercent(p.nearPercent),
    )
    const siblings = this.#board.ofProvider(series.world, series.provider)
    series.sameDigits = hasSameDigits(quote, siblings, p) ? series.sameDigits + 1 : 0
    // What was frozen before a pause and is the same after it was not thawed by the pause.
    if (paused && !series.doubts.has('frozen-value')) series.rest.interrupt(at)
    const { price } = quote
    series.rest.observe({ price, ln, at }, peers.median, restLimitsOf(series, at, p))
    series.latest = quote
    series.ln = ln
    Object.assign(series, { missing: 0, wrongShape: 0, failed: undefined, ahead: undefined })
    return { quote, ln, at, series, peers, board: this.#board, parameters: p }
  }

  #judge(sample: Sample): Map<FlagKind, string> {
    const found = new Map<FlagKind, string>()
    for (const [flag, detector] of detectors) {
      const evidence = this.#on.has(flag) ? detector(sample) : undefined
      if (evidence !== undefined) found.set(flag, evidence)
    }
    for (const [flag, detector] of explanations) {
      const evidence = this.#on.has(flag) ? detector(sample) : undefined
      if (evidence === undefined) continue
      found.set(flag, evidence)
      break
    }
    sample.series.isNew = isNewBesideOne(sample)
    return found
  }
}

/** Out of order, an older revision, or the very same again. */
function isOld(quote: Quote, latest: Quote): boolean {
  if (quote.receivedAt !== latest.receivedAt) return quote.receivedAt < latest.receivedAt
  return quote.observedAt === latest.observedAt && quote.revision <= latest.revision
}
