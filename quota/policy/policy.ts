import { advance } from './advance.ts'
import { freeze, respecified, unfreeze } from './freeze.ts'
import { reconcile } from './reconcile.ts'
import { reserve } from './reserve.ts'
import { settle } from './settle.ts'
import { statusOf } from './status.ts'

/**
 * The one policy: every store reads a scope's row, lets these pure functions decide, and writes the row back under its version.
 * Each but `advance` wants a state that `advance` has brought up to date. Reading clocks and rows is not its job.
 */
export const quotaPolicy = {
  advance,
  reserve,
  settle,
  reconcile,
  freeze,
  unfreeze,
  respecified,
  statusOf,
} as const

/** Another policy can be given to a ledger: a test does, to show that a planted bug is found. */
export type QuotaPolicy = typeof quotaPolicy
