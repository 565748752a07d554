import { toCryptosError } from '../../../core/errors.ts'
import type { SqlDb } from '../../../host/sqlite.ts'
import { isOwnMistake, type Job, JobQueue, type Result, settleJob } from '../common/job-queue.ts'

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

type Work = () => unknown

/**
 * The jobs of a group share one BEGIN IMMEDIATE … COMMIT and so one fsync. They run one after the other. A promise resolves only
 * after COMMIT; a database error rejects the whole group, of which nothing is stored then.
 */
export class CommitQueue {
  readonly #db: SqlDb
  readonly #hooks: CommitHooks
  readonly #queue: JobQueue<Work>

  constructor(db: SqlDb, hooks: CommitHooks) {
    this.#db = db
    this.#hooks = hooks
    this.#queue = new JobQueue({ runGroup: jobs => this.#runGroup(jobs), idle: hooks.idle })
  }

  submit<T>(work: () => T): Promise<T> {
    return this.#queue.submit(work)
  }

  /** Ends when the jobs that wait now are done; later ones are refused. */
  close(): Promise<void> {
    return this.#queue.close()
  }

  async #runGroup(jobs: readonly Job<Work>[]): Promise<void> {
    try {
      const results = await this.#db.transaction(() => this.#work(jobs))
      this.#hooks.committed()
      for (const [index, job] of jobs.entries()) settleJob(job, results[index])
    } catch (error) {
      this.#hooks.rolledBack()
      for (const job of jobs) job.reject(toCryptosError(error))
    }
  }

  #work(jobs: readonly Job<Work>[]): Result[] {
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

function tried(work: Work): Result {
  try {
    return { ok: true, value: work() }
  } catch (error) {
    if (!isOwnMistake(error)) throw error
    return { ok: false, error }
  }
}
