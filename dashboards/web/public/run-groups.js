/**
 * @typedef {import('./runs.js').RunView} RunView
 * @typedef {{ newest: RunView, count: number, records: number, credits: number, longestMs: number }} RunGroup
 */

/** Runs that follow each other and say the same become one line. @param {readonly RunView[]} runs newest first @returns {RunGroup[]} */
export function groupRuns(runs) {
  /** @type {RunGroup[]} */
  const groups = []
  for (const run of runs) {
    const last = groups.at(-1)
    if (last && saysTheSame(last.newest, run)) {
      last.count += 1
      last.records += run.records
      last.credits += run.credits
      last.longestMs = Math.max(last.longestMs, run.durationMs)
    } else {
      const { records, credits, durationMs } = run
      groups.push({ newest: run, count: 1, records, credits, longestMs: durationMs })
    }
  }
  return groups
}

/** @param {RunView} a @param {RunView} b */
const saysTheSame = (a, b) =>
  a.provider === b.provider && a.dataset === b.dataset && a.outcome === b.outcome && a.reason === b.reason
