import { type ErrorCode, errorKinds, toCryptosError } from '../core/errors.ts'
import { fromEpochMs } from '../core/time.ts'
import { toIsoMicros } from '../dashboards/web/times.ts'
import { type ExitCode, exitCodeOf, type Outcome } from '../core/outcomes.ts'

/** What a command ends with: the last line of stdout, as JSON with `--json`, else as a sentence. */
export interface Result {
  readonly exit: ExitCode
  readonly json: Readonly<Record<string, unknown>>
  /** For people; printed before nothing else follows. Empty = print nothing. */
  readonly text: string
  /** What was found is what was asked for, however bad it is: on stdout whatever the exit code. */
  readonly isReport?: true
}

export const done = (text: string, json: Readonly<Record<string, unknown>>): Result => ({
  exit: 0,
  json,
  text,
})

/** The end of a command that runs until it is told to stop. It collected nothing itself, so it has no outcome of a run. */
export const stopped = (text: string, more: Readonly<Record<string, unknown>> = {}): Result =>
  done(text, { stopped: true, reason: 'stopped as told', ...more })

export function fromOutcome(
  outcome: Outcome,
  reason: string,
  more: Readonly<Record<string, unknown>> = {},
  code?: ErrorCode,
): Result {
  const remedy = code === undefined ? remedies[outcome] : errorKinds[code].remedy
  const coded = code === undefined ? {} : { code }
  const advice = code === undefined ? remedy : `${code}: ${remedy}`
  return {
    exit: exitCodeOf(outcome),
    json: { outcome, ...coded, reason, ...(remedy === undefined ? {} : { remedy }), ...more },
    text: `${outcome}: ${reason}${advice === undefined ? '' : `\n  ${advice}`}`,
  }
}

/** What a person can do about an outcome; none where time alone helps. */
const remedies: Readonly<Partial<Record<Outcome, string>>> = {
  unauthorized:
    'Put a valid key into the file that the variable of this provider names (docs/reference/providers.md), or choose the plan that it has',
  'bad-request': 'Check CRYPTOS_ASSETS and CRYPTOS_CURRENCY; report it if they are right',
  misconfigured: 'Correct what the reason names; cryptos config show tells what is set',
  frozen: 'cryptos quota unfreeze lets spending go on',
  'ledger-unavailable':
    'Make the data folder or the server of the ledger usable (cryptos doctor tells more), then run it again',
  'payload-invalid': 'cryptos dlq list shows the answer; report it',
}

/** An error as a result: one sentence and what to do. */
export function fromError(error: unknown): Result {
  const known = toCryptosError(error)
  const { remedy } = errorKinds[known.code]
  const outcome = outcomeOf(known.code)
  const retryAt = known.retryAtMs === undefined ? {} : { retryAt: toIsoMicros(fromEpochMs(known.retryAtMs)) }
  return {
    exit: exitCodeOf(outcome),
    json: { outcome, code: known.code, reason: known.message, remedy, ...retryAt },
    text: `${known.message}\n  ${known.code}: ${remedy}`,
  }
}

/** Configuration and usage end with 2, all else is worth a retry. */
function outcomeOf(code: ErrorCode): Outcome {
  if (code === 'CRY_ABORTED') return 'aborted'
  if (code === 'CRY_LEDGER_UNAVAILABLE') return 'ledger-unavailable'
  return errorKinds[code].exit === 2 ? 'misconfigured' : 'failed'
}
