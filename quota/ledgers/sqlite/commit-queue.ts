import { CryptosError, toCryptosError } from '../../../core/errors.ts'
import type { SqlDb } from '../../../host/sqlite.ts'

interface Job {
  readonly work: () => unknown
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

type Result = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: unknown }

export interface CommitHooks {
  /** Inside the transaction, before the first job: look what other processes wrote. */
  readonly begin: () => void
  /** Inside the transaction, after the last job: write what the jobs left in memory. */
  readonly flush: () => void
  /** After COMMIT, before the jobs' promises resolve. */
  readonly committed: () => void
  /** After a ROLLBACK, before the work is tried again too: forget what was in memory. */
  readonly rolledBack: () => void
  /** Nobody waits any more. */
  readonly idle: () => void
}

/** Microtasks until the callers that a commit woke have asked again: cheaper than a turn of the event loop after every commit. */
const hopsToCallers = 8
/** Callers that ask without end must not keep sockets and timers waiting. */
const groupsPerTurn = 32

/**
 * Group commit: the jobs of all callers that wait share one BEGIN IMMEDIATE … COMMIT and so one
 * fsync. They run one after the other. A promise resolves only after COMMIT; a database error rejects the whole group, of which
 * nothing is stored then. A lone caller waits for nobody.
 */
export class CommitQueue {
  readonly #db: SqlDb
  readonly #hooks: CommitHooks
  #waiting: Job[] = []
  #running: Promise<void> | undefined
  #closed = false

  constructor(db: SqlDb, hooks: CommitHooks) {
    this.#db = db
    this.#hooks = hooks
  }

  submit<T>(work: () => T): Promise<T> {
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
      await this.#runGroup(jobs)
      for (let hop = 0; hop < hopsToCallers; hop += 1) await undefined
      if (this.#waiting.length === 0 || groups % groupsPerTurn === 0)
        await new Promise<void>(resolve => setImmediate(resolve))
    }
    this.#running = undefined
    this.#hooks.idle()
  }

  async #runGroup(jobs: readonly Job[]): Promise<void> {
    try {
      const results = await this.#db.transaction(() => this.#work(jobs))
      this.#hooks.committed()
      for (const [index, job] of jobs.entries()) settleJob(job, results[index])
    } catch (error) {
      this.#hooks.rolledBack()
      for (const job of jobs) job.reject(toCryptosError(error))
    }
  }

  #work(jobs: readonly Job[]): Result[] {
    try {
      this.#hooks.begin()
      const results = jobs.map(job => tried(job.work))
      this.#hooks.flush()
      return results
    } catch (error) {
      // A busy database makes the transaction run again: nothing of this try may be left in memory by then.
      this.#hooks.rolledBack()
      throw error
    }
  }
}

/** A caller's mistake is its own; anything else ends the group. */
function tried(work: () => unknown): Result {
  try {
    return { ok: true, value: work() }
  } catch (error) {
    const { code } = toCryptosError(error)
    if (code !== 'CRY_USAGE' && code !== 'CRY_VALUE_INVALID') throw error
    return { ok: false, error }
  }
}

function settleJob(job: Job, result: Result | undefined): void {
  if (result?.ok) job.resolve(result.value)
  else job.reject(result?.error ?? new CryptosError('CRY_INTERNAL', 'a ledger operation got lost'))
}
