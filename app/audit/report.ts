import type { EpochMicros } from '../../core/brands.ts'
import type { Difference } from './compare.ts'

export type Rows = Readonly<Record<'answers' | 'topic' | 'store', number>>
export type Worked = Readonly<Record<'topic' | 'store', number>>

/** What one store has. */
export interface StoreReport {
  readonly name: string
  /** Rows made of answers; figures and gaps of answers; what was worked out. */
  readonly rows: number
  readonly market: number
  readonly workedOut: number
  /** Consensus prices that were worked out again from its records. */
  readonly consensus: number
  /** In the topic, but behind the offset of its group. */
  readonly pending: number
  /** Records that its groups put into the dead letters. */
  readonly refused: number
  /** All open dead letters of its groups, whatever they are and however old. */
  readonly deadLetters: number
  /** Minutes and hours that were made anew from its rows; null = it keeps no bars of its own, history is worked out of the rows. */
  readonly bars: number | null
  /** Differences in it. */
  readonly differences: number
}

/** Since when everything that was asked for is still kept everywhere. */
export interface KeptFrom {
  readonly from: EpochMicros
  /** Whose retention made it later than was asked for; null = nobody's. */
  readonly by: string | null
}

export interface AuditReport {
  readonly answers: number
  /** Answers that could not be published: they are in the dead letters, not in the rows. */
  readonly unmapped: number
  /** Prices that were made of answers; `store` = the first store. */
  readonly rows: Rows
  readonly distinct: number
  /** Figures and gaps that were made of answers. */
  readonly market: Rows
  /** What was worked out of the prices (consensus, who serves, doubts), records and rows together. */
  readonly workedOut: Worked
  /** Of these the consensus prices that were worked out again, from the first store. */
  readonly consensus: number
  /** Accepted or published, but not in every store yet: not a defect while `up` or `process` runs. */
  readonly pending: number
  /** Records that a group of a store put into the dead letters. */
  readonly refused: number
  /** Minutes and hours that were made anew from rows, of all stores that keep bars. */
  readonly bars: number
  readonly groups: number
  readonly keptFrom: KeptFrom
  readonly stores: readonly StoreReport[]
  readonly badGroups: readonly string[]
  readonly differences: readonly Difference[]
}

/** Differences with the groups that they are in. */
export const told = (differences: readonly Difference[]): Pick<AuditReport, 'badGroups' | 'differences'> => ({
  badGroups: [...new Set(differences.map(d => d.group))].sort((a, b) => a.localeCompare(b)),
  differences,
})
