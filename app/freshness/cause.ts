import type { EpochMicros } from '../../core/brands.ts'
import { exitCodeOf, type Outcome } from '../../core/outcomes.ts'
import type { Gap, GapState, Run } from '../../core/records.ts'
import { toIso } from '../../core/time.ts'
import { count } from '../plural.ts'

/** Why there is no young answer: nobody asked, all who asked were told to wait, or the source failed. */
export type CauseKind = 'nothing-ran' | 'all-skipped' | 'failing'

export interface Cause {
  readonly kind: CauseKind
  /** One sentence. */
  readonly reason: string
}

export interface Evidence {
  /** Runs of the dataset, newest first, as far as the ledger was read. */
  readonly runs: readonly Run[]
  /** The newest of the gap ledger; null = none, or it could not be read. */
  readonly gap: Gap | null
  /** Start of the newest answered period; null = never answered. */
  readonly answeredAt: EpochMicros | null
  /** The word of the planner or the ledger where nothing is asked now. */
  readonly held: string | null
}

const brought: ReadonlySet<Outcome> = new Set(['collected', 'partial', 'published'])

/** States of a gap that say why there was no answer; the others tell of an answer. */
const causes: Readonly<Partial<Record<GapState, CauseKind>>> = {
  denied: 'all-skipped',
  frozen: 'all-skipped',
  failed: 'failing',
  'provider-down': 'failing',
}

/** Pure. The runs since the last answer speak first, then the gap ledger, then what holds the quota now; silence of all is a cause too. */
export function causeOf(evidence: Evidence): Cause {
  const since = runsSince(evidence)
  if (since.length > 0)
    return causeOfRuns(since, evidence.answeredAt === null ? 'so far' : 'since the last answer')
  return (
    causeOfGap(evidence) ??
    (evidence.held === null
      ? { kind: 'nothing-ran', reason: silence(evidence) }
      : { kind: 'all-skipped', reason: evidence.held })
  )
}

/** Newest first, back to the run that brought something. */
function runsSince({ runs, answeredAt }: Evidence): readonly Run[] {
  const end = runs.findIndex(run => brought.has(run.outcome) || run.startedAt <= (answeredAt ?? 0))
  return end === -1 ? runs : runs.slice(0, end)
}

function causeOfRuns(runs: readonly Run[], when: string): Cause {
  const bad = runs.filter(run => exitCodeOf(run.outcome) !== 99)
  const newest = bad[0] ?? runs[0]
  const told = newest === undefined ? '' : `; the newest, ${newest.outcome}: ${newest.reason}`
  return bad.length === 0
    ? { kind: 'all-skipped', reason: `every run ${when} was skipped (${tally(runs)})${told}` }
    : {
        kind: 'failing',
        reason: `${bad.length} of ${count(runs.length, 'run')} ${when} failed (${tally(bad)})${told}`,
      }
}

/** `denied-by-quota 10, not-due 2` */
function tally(runs: readonly Run[]): string {
  const counts = new Map<Outcome, number>()
  for (const { outcome } of runs) counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
  return [...counts]
    .toSorted((a, b) => b[1] - a[1])
    .map(([outcome, n]) => `${outcome} ${n}`)
    .join(', ')
}

function causeOfGap({ gap, answeredAt }: Evidence): Cause | undefined {
  const kind = gap === null ? undefined : causes[gap.state]
  if (gap === null || kind === undefined || gap.receivedAt <= (answeredAt ?? 0)) return undefined
  return { kind, reason: `the gap ledger has it as ${gap.state} at ${toIso(gap.receivedAt)}: ${gap.reason}` }
}

function silence({ runs, answeredAt }: Evidence): string {
  const [newest] = runs
  if (answeredAt === null && newest === undefined) return 'nothing ran: there is no run of it in the ledger'
  const last =
    newest === undefined ? '' : `; the newest run began at ${toIso(newest.startedAt)} (${newest.outcome})`
  return `nothing ran since the last answer${last}: is a schedule on?`
}
