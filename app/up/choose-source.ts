import { collectOnce } from '../collecting.ts'
import type { Context } from '../commands/command.ts'
import { exitCodeOf, type Outcome } from '../../core/outcomes.ts'
import { hasKey, liveSource, rememberedKind, type Source } from '../source.ts'
import type { SweepResult } from '../sweep.ts'

/** Which source `up` takes, and the line that says why. `sandbox` is started by the caller. */
export interface Choice {
  readonly kind: Source['kind']
  readonly why: string
}

/** Outcomes of a source that nobody could be reached at. Everything else is an answer, or a refusal of our own. */
const unreached: ReadonlySet<Outcome> = new Set(['transport-error', 'misconfigured', 'source-disabled'])
/** The slot's tries are used up without an answer: no news since the last start, minutes ago at most. */
const noNews: ReadonlySet<Outcome> = new Set([...unreached, 'slot-exhausted'])

/** How long `auto` waits for the first live answer. */
const probeDeadlineMs = 4_000

/**
 * As told; with a key always live; else `auto` asks the keyless live sources once, through the ledger like any call. What they
 * answer is collected, not thrown away. Only where none of them can be reached the sandbox is taken: a source that is frozen, used
 * up or busy is a live source.
 */
export async function chooseSource(context: Context): Promise<Choice> {
  const { config } = context
  if (config.source === 'live') return { kind: 'live', why: 'live data, as told' }
  if (config.source === 'sandbox') return { kind: 'sandbox', why: 'simulated data, as told' }
  if (hasKey(config)) return { kind: 'live', why: 'live data: a key is set' }
  const probe = {
    ...context,
    config: { ...config, httpConnectTimeoutMs: probeDeadlineMs, httpDeadlineMs: probeDeadlineMs },
  }
  const results = await collectOnce(probe, liveSource(config), { period: 'now' })
  return choiceOf(results, rememberedKind(config))
}

/** @param before what `up` took the last time */
export function choiceOf(
  results: readonly Pick<SweepResult, 'provider' | 'outcome' | 'reason'>[],
  before: Source['kind'],
): Choice {
  const isDark =
    results.every(r => unreached.has(r.outcome)) ||
    (before === 'sandbox' && results.every(r => noNews.has(r.outcome)))
  if (!isDark) return { kind: 'live', why: `live data: ${sayAll(results)}` }
  return {
    kind: 'sandbox',
    why: `no live source answered (${whoWasAsked(results)}) and no key is set: running on simulated data`,
  }
}

/** Everyone that was asked with what came of it, told once where it is the same: `kraken, coinbase: ENOTFOUND`. */
function whoWasAsked(results: readonly Pick<SweepResult, 'provider' | 'reason'>[]): string {
  const groups = Map.groupBy(results, r => /\(([A-Z][A-Z0-9_]{3,})\)/.exec(r.reason)?.[1] ?? r.reason)
  const told = [...groups].map(([why, of]) => `${[...new Set(of.map(r => r.provider))].join(', ')}: ${why}`)
  return told.join('; ') || 'none is enabled'
}

/** Who answered; where nobody did, why not. */
function sayAll(results: readonly Pick<SweepResult, 'provider' | 'outcome'>[]): string {
  const met = results.filter(r => !unreached.has(r.outcome))
  const answered = met.filter(r => exitCodeOf(r.outcome) === 0 || r.outcome === 'already-done')
  if (answered.length > 0) return `${answered.map(r => r.provider).join(', ')} answered`
  return met.map(r => `${r.provider} is ${r.outcome}`).join(', ')
}
