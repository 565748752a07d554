import type { EpochMicros } from '../core/brands.ts'
import type { Outcome } from '../core/outcomes.ts'
import type { Gap, GapState } from '../core/records.ts'
import type { PageResult, PageTask } from './poll-types.ts'
import { expectedAtOf } from './publish-gaps.ts'

/** What a run that brought no answer leaves open. Outcomes that are not here leave nothing, or somebody else is at it. */
const states: Readonly<Partial<Record<Outcome, GapState>>> = {
  'denied-by-quota': 'denied',
  'quota-exhausted': 'denied',
  frozen: 'denied',
  'ledger-unavailable': 'failed',
  'slot-exhausted': 'failed',
  'bad-request': 'failed',
  unauthorized: 'failed',
  failed: 'failed',
  'rate-limited': 'provider-down',
  'provider-error': 'provider-down',
  'transport-error': 'provider-down',
}

/** Most slots whose gaps are remembered, so that a later answer closes them. */
const maxOpen = 1_000

/** Outcomes that brought values, now or by an earlier run. */
const brought: ReadonlySet<Outcome> = new Set(['collected', 'partial', 'published'])

/**
 * The gaps of runs: what was expected and not asked, or asked in vain. A later answer of the same slot closes what this process or an
 * earlier attempt left open.
 */
export class RunGaps {
  readonly #open = new Map<string, GapState>()

  /**
   * One for each asked asset; empty where the run leaves nothing open and closes nothing. Call `told` when they are durable.
   * @param startedAt of the run: later than what an earlier run left open, earlier than what the answer itself tells as missing
   */
  of(task: PageTask, result: PageResult, startedAt: EpochMicros): readonly Gap[] {
    const { slot, outcome } = result
    const state = states[outcome]
    // Who asks every few seconds says the same once.
    if (state !== undefined)
      return this.#open.get(slot) === state ? [] : gapsOf(task, result, state, startedAt)
    if (!brought.has(outcome) || !(this.#open.has(slot) || isSecondAttempt(result))) return []
    return gapsOf(task, result, 'collected', startedAt)
  }

  /** The gaps of this run are in their topic. */
  told({ slot, outcome }: PageResult): void {
    const state = states[outcome]
    if (state === undefined) {
      if (brought.has(outcome)) this.#open.delete(slot)
      return
    }
    if (this.#open.size >= maxOpen) this.#open.clear()
    this.#open.set(slot, state)
  }
}

const isSecondAttempt = ({ answerId }: PageResult): boolean => /#([2-9]|\d{2,})$/.test(answerId ?? '')

function gapsOf(task: PageTask, result: PageResult, state: GapState, now: EpochMicros): readonly Gap[] {
  const { source, dataset, page } = task
  const { runId, slot, outcome, reason } = result
  return page.assets.map(({ asset, sourceId }) => ({
    ...{ kind: 'gap', provider: source.provider.id, dataset: dataset.id, asset, sourceId, state },
    currency: page.currency,
    expectedAt: expectedAtOf({ slot, receivedAt: now }, { page }),
    reason:
      state === 'collected'
        ? 'collected by a later try'
        : `${outcome}: ${reason}`.slice(0, 500).toWellFormed(),
    ...{ receivedAt: now, revision: 0, origin: source.origin, runId, rawRef: `run|${runId}` },
  }))
}
