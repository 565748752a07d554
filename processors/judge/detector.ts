import type { EpochMicros } from '../../core/brands.ts'
import type { Gap, Quote } from '../../core/records.ts'
import type { Board } from './board.ts'
import type { JudgeParameters } from './parameters.ts'
import type { Peers } from './peers.ts'
import type { Series } from './series.ts'

/** One quote with all that is known beside it. `series` has seen the quote already; its doubts and trusted prices are those before it. */
export interface Sample {
  readonly quote: Quote
  /** Logarithm of the price. */
  readonly ln: number
  readonly at: EpochMicros
  readonly series: Series
  readonly peers: Peers
  readonly board: Board
  readonly parameters: JudgeParameters
}

/** A pure rule: the evidence as one sentence with figures, or undefined = nothing to say. */
export type Detector = (sample: Sample) => string | undefined

/** A rule about answers that came without the value. */
export type GapDetector = (gap: Gap, series: Series, parameters: JudgeParameters) => string | undefined
