import type { AssetId } from '../../core/brands.ts'
import type { Currency, FlagKind } from '../../core/records.ts'

/** Everything that a judgement depends on beside the data. Shares are per cent of the price, times are milliseconds. */
export interface JudgeParameters {
  /** Detectors that are switched on. */
  readonly detectors: readonly FlagKind[]
  /** So many clean values in a row before a doubted source counts again. */
  readonly cleanValues: number
  /** Price near the other sources up to here; the floor of every comparison with them. */
  readonly nearPercent: number
  /** A source speaks for the others while its newest answer is at most so old, or three of its own steps. */
  readonly peerMaxAgeMs: number
  readonly tail: TailParameters
  readonly frozen: FrozenParameters
  readonly clock: ClockParameters
  readonly unit: UnitParameters
  readonly currency: CurrencyParameters
  readonly outlier: OutlierParameters
  readonly gaps: GapParameters
  readonly consensus: ConsensusParameters
  readonly spot: SpotParameters
  /** Datasets of past prices, as `provider/dataset`: what they bring is no news, also where it comes from the sandbox. */
  readonly histories: readonly string[]
  /** Values that lie further ahead of our clock are not believed: one of the two clocks is wrong. */
  readonly aheadMs: number
  /** A series that nobody heard of for so long is forgotten. */
  readonly forgetMs: number
}

/** How much longer than the longest that was ever seen is too long: less, the more was seen. See `tail.ts`. */
export interface TailParameters {
  /** A rest (or lag) so long must be so unlikely, 0 to 1, where its tail is an exponential. */
  readonly chance: number
  readonly timesLeast: number
  readonly timesMost: number
}

export interface FrozenParameters {
  /** The others are away when their median is so far from the digits … */
  readonly awayPercent: number
  /** … and so many times the usual distance of this source. */
  readonly awayDeviations: number
  /** Away for so long … */
  readonly awayMs: number
  /** … and so many times the longest that the series ever needed to follow … */
  readonly timesAway: number
  /** … and so many times its longest rest … */
  readonly timesRestAway: number
  /** … in so many answers. */
  readonly minAnswers: number
  /** The others kept changing for so long … */
  readonly restMs: number
  /** … longer than the tail of the series' rests; or than so many times its longest rest, and with more changes of the others than
   * the tail of those during its rests … */
  readonly timesRest: number
  /** … with so many changes of their median, and a range of so many per cent and so many units of the last digit. */
  readonly minPeerChanges: number
  readonly rangePercent: number
  readonly rangeTicks: number
  /** A series is known after such a time (and so many changes of its digits); before that `unknownMs` is the floor. */
  readonly warmUpMs: number
  readonly minChanges: number
  readonly unknownMs: number
  /** Without other sources: so long, and so many times the longest rest. */
  readonly aloneMs: number
  readonly aloneTimes: number
  /** Without other sources, for a series that never moved yet. */
  readonly aloneUnknownMs: number
  /** All series of a provider frozen for so long = the service was given up. */
  readonly deprecationMs: number
}

export interface ClockParameters {
  readonly floorMs: number
  /** So many steps in a row whose lag is too long at once: the clock goes, but behind. */
  readonly behindSteps: number
  /** So many changes of the digits, at least, while the clock stands still. */
  readonly changesStanding: number
  readonly warmUpMs: number
  readonly warmUpSteps: number
  readonly unknownMs: number
}

export interface UnitParameters {
  readonly peersPercent: number
  readonly ownPercent: number
  /** A price of its own is a measure for so long. */
  readonly ownMaxAgeMs: number
}

export interface CurrencyParameters {
  readonly crossPercent: number
  /** The same digits under two labels in so many answers in a row. */
  readonly sameDigits: number
  readonly minDigits: number
  readonly sameAnswerMs: number
  /** Currencies that are meant to be worth the same: equal digits prove nothing. */
  readonly pegged: readonly Currency[]
}

export interface OutlierParameters {
  readonly minPeers: number
  readonly mads: number
  /** So many times the usual way of the series in the time since its last change: whoever sees a jump first is no liar. */
  readonly steps: number
  /** A series that leaves a rest of so long may have jumped: for `confirmMs` the limit is so many times as wide. */
  readonly restedMs: number
  readonly confirmMs: number
  readonly restedTimes: number
  /** Where there is one other source: who came so much later than it, and lies far off, is doubted until a third agrees. */
  readonly newcomerMs: number
  /** More than such a share of the others must say so (0 to 1): 2 of 4 sources against the other 2 are no outliers. */
  readonly agreement: number
}

export interface GapParameters {
  /** Answers in a row without the asset. */
  readonly missing: number
  /** Answers in a row in another shape. */
  readonly shape: number
}

export interface ConsensusParameters {
  readonly minSources: number
  readonly maxAgeMs: number
  /** Spread that is more than this, and than the market's own way since the oldest counted value, is a divergence. */
  readonly divergencePercent: number
  /** Where just two sources count: further apart than this (and the market's own way) there is no consensus, and neither serves. */
  readonly partedPercent: number
  /** Minutes in a row before the divergence is an event. */
  readonly divergenceMinutes: number
}

export interface SpotParameters {
  /** Names of providers, the preferred one first. None = all, by name. */
  readonly sources: readonly string[]
  /**
   * A value serves so long, or three steps of its source where that is longer (at most `consensus.maxAgeMs`), or one and a half of the
   * intervals at which it is collected.
   */
  readonly maxAgeMs: number
  /** So many calls in vain in a row, and the source serves no more, however young its last value is. */
  readonly failedCalls: number
  /** Providers that are switched off, with the reason. */
  readonly disabled: Readonly<Record<string, string>>
  /** What a provider is asked for, by its name; absent = unknown. Of what it does not offer, its silence is no news. */
  readonly offers: Readonly<Record<string, Offer>>
}

export interface Offer {
  readonly currencies?: readonly Currency[]
  readonly assets?: readonly AssetId[]
  /** Time between two values by the plan of collecting, milliseconds: of each asset that is asked for by name, and of any other. */
  readonly intervalsMs?: { readonly byAsset: ReadonlyMap<AssetId, number>; readonly other?: number }
}
