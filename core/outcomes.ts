/** Exit codes shared with Airflow: 0 done, 99 skipped, 1 failed and worth a retry, 2 never to be retried. */
export type ExitCode = 0 | 1 | 2 | 99

interface OutcomeKind {
  readonly exit: ExitCode
  readonly meaning: string
}

/** How one run, call or page ended: the closed list. `docs/reference/outcomes.md` is generated from it. */
export const outcomes = {
  collected: { exit: 0, meaning: 'The provider answered and every asked asset has a record' },
  partial: {
    exit: 0,
    meaning: 'The provider answered; some of the asked assets have no record, each named in the reason',
  },
  published: {
    exit: 0,
    meaning: 'An earlier answer of the slot waited; it was published now, without a call',
  },
  'already-done': { exit: 99, meaning: 'The slot was answered and published before' },
  'not-due': { exit: 99, meaning: 'The planner says that it is too early for another call' },
  'denied-by-quota': { exit: 99, meaning: 'The ledger gave no permit: a call now could pass the limit' },
  frozen: { exit: 99, meaning: 'Spending is frozen by an operator or by a clock that jumped' },
  'source-disabled': { exit: 99, meaning: 'The source is off, with the reason' },
  'slot-exhausted': { exit: 99, meaning: 'The slot was tried as often as allowed without an answer' },
  'quota-exhausted': { exit: 99, meaning: 'The provider itself says that the day or month is used up' },
  'backing-off': {
    exit: 1,
    meaning: 'The last try failed; the next is allowed at retryAt, the later the longer the source fails',
  },
  'in-flight': { exit: 1, meaning: 'Another process is calling for the same slot' },
  unpublished: {
    exit: 1,
    meaning:
      'The answer of the slot is paid and durable, but could not be published; the same slot again publishes it, without a call',
  },
  'rate-limited': { exit: 1, meaning: 'The provider refused the call because of its rate limit' },
  'provider-error': { exit: 1, meaning: 'The provider answered with an error of its own' },
  'transport-error': { exit: 1, meaning: 'No whole answer came: connection, deadline, size or encoding' },
  'payload-invalid': {
    exit: 1,
    meaning: 'The answer is not in the documented shape; it is in the dead letters',
  },
  'ledger-unavailable': { exit: 1, meaning: 'The quota ledger could not be used, so no call was made' },
  stale: { exit: 1, meaning: 'A wanted dataset has no answer that is young enough (`cryptos freshness`)' },
  aborted: { exit: 1, meaning: 'The run was stopped before it was done' },
  failed: { exit: 1, meaning: 'An unexpected error' },
  unauthorized: {
    exit: 2,
    meaning: 'The key is missing, wrong, disabled, or its plan does not allow the call',
  },
  'bad-request': { exit: 2, meaning: 'The provider calls the request itself wrong' },
  misconfigured: { exit: 2, meaning: 'A setting, the command line or the data folder is wrong' },
} as const satisfies Record<string, OutcomeKind>

export type Outcome = keyof typeof outcomes

export const isOutcome = (text: string): text is Outcome => Object.hasOwn(outcomes, text)
export const exitCodeOf = (outcome: Outcome): ExitCode => outcomes[outcome].exit
