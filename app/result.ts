import { errorKinds, toCryptosError } from '../core/errors.ts'
import { type ExitCode, exitCodeOf, type Outcome } from '../core/outcomes.ts'

/** What a command ends with: the last line of stdout, as JSON with `--json`, else as a sentence. */
export interface Result {
  readonly exit: ExitCode
  readonly json: Readonly<Record<string, unknown>>
  /** For people; printed before nothing else follows. Empty = print nothing. */
  readonly text: string
}

export const done = (text: string, json: Readonly<Record<string, unknown>>): Result => ({
  exit: 0,
  json,
  text,
})

export function fromOutcome(
  outcome: Outcome,
  reason: string,
  more: Readonly<Record<string, unknown>> = {},
): Result {
  return { exit: exitCodeOf(outcome), json: { outcome, reason, ...more }, text: `${outcome}: ${reason}` }
}

/** An error as a result: one sentence and what to do. Configuration and usage end with 2, all else is worth a retry. */
export function fromError(error: unknown): Result {
  const known = toCryptosError(error)
  const { reaction, remedy } = errorKinds[known.code]
  const outcome: Outcome =
    known.code === 'CRY_ABORTED'
      ? 'aborted'
      : known.code === 'CRY_LEDGER_UNAVAILABLE'
        ? 'ledger-unavailable'
        : reaction === 'stop'
          ? 'misconfigured'
          : 'failed'
  const retryAt = known.retryAtMs === undefined ? {} : { retryAt: new Date(known.retryAtMs).toISOString() }
  return {
    exit: exitCodeOf(outcome),
    json: { outcome, code: known.code, reason: known.message, remedy, ...retryAt },
    text: `${known.message}\n  ${known.code}: ${remedy}`,
  }
}
