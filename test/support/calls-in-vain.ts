import type { Run } from '../../core/records.ts'

/** A collected run of the ledger: one page of the sweep of a task. */
export type AnsweredRun = Pick<Run, 'slot' | 'spender' | 'dataset'>

export interface InVain {
  readonly calls: number
  /** Tasks that must have died to leave so many calls without an answer. */
  readonly deaths: number
}

/**
 * What one provider was called for nothing. The pages of a sweep are under way at once and end with their task, so that one death
 * costs as many calls as a task has pages, and no more.
 */
export function callsInVain(calls: number, answered: readonly AnsweredRun[]): InVain {
  const ofTasks = [...Map.groupBy(answered, run => `${run.spender} ${run.dataset}`).values()]
  const pages = Math.max(1, ...ofTasks.map(runs => new Set(runs.map(run => run.slot)).size))
  const vain = calls - new Set(answered.map(run => run.slot)).size
  return { calls: vain, deaths: Math.ceil(vain / pages) }
}
