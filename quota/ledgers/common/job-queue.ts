import { CryptosError, toCryptosError } from '../../../core/errors.ts'

export interface Job<Work> {
  readonly work: Work
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

export type Result =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: unknown }

export interface JobHooks<Work> {
  /** Does the jobs of a group in one transaction and settles each of them. Never throws. */
  readonly runGroup: (jobs: readonly Job<Work>[]) => Promise<void>
  /** Nobody waits any more. */
  readonly idle: () => void
}

/** Microtasks until the callers that a commit woke have asked again: cheaper than a turn of the event loop after every commit. */
const hopsToCallers = 8
/** Callers that ask without end must not keep sockets and timers waiting. */
const groupsPerTurn = 32

/** Group commit: the jobs of all callers that wait share one transaction, one group after the other. A lone caller waits for nobody. */
export class JobQueue<Work> {
  readonly #hooks: JobHooks<Work>
  #waiting: Job<Work>[] = []
  #running: Promise<void> | undefined
  #closed = false

  constructor(hooks: JobHooks<Work>) {
    this.#hooks = hooks
  }

  submit<T>(work: Work): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#closed)
        return reject(new CryptosError('CRY_LEDGER_UNAVAILABLE', 'the quota ledger is closed'))
      this.#waiting.push({ work, resolve: value => resolve(value as T), reject })
      this.#running ??= this.#drain()
    })
  }

  /** Ends when the jobs that wait now are done; later ones are refused. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  async #drain(): Promise<void> {
    // One turn of the event loop: callers that were woken by the same commit come back together.
    await new Promise<void>(resolve => setImmediate(resolve))
    for (let groups = 1; this.#waiting.length > 0; groups += 1) {
      const jobs = this.#waiting
      this.#waiting = []
      await this.#hooks.runGroup(jobs)
      for (let hop = 0; hop < hopsToCallers; hop += 1) await undefined
      if (this.#waiting.length === 0 || groups % groupsPerTurn === 0)
        await new Promise<void>(resolve => setImmediate(resolve))
    }
    this.#running = undefined
    this.#hooks.idle()
  }
}

/** A caller's mistake is its own; anything else ends the group. */
export const isOwnMistake = (error: unknown): boolean => {
  const { code } = toCryptosError(error)
  return code === 'CRY_USAGE' || code === 'CRY_VALUE_INVALID'
}

export function settleJob(job: Job<unknown>, result: Result | undefined): void {
  if (result?.ok) job.resolve(result.value)
  else job.reject(result?.error ?? new CryptosError('CRY_INTERNAL', 'a ledger operation got lost'))
}
