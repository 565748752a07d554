import { EpochMicros } from '../../../core/brands.ts'
import { type CryptosError, toCryptosError } from '../../../core/errors.ts'
import type { Bookkeeper } from '../common/bookkeeper.ts'
import { isOwnMistake, type Job, JobQueue, type Result, settleJob } from '../common/job-queue.ts'
import type { Moment, Moments, ServerTime } from './moment.ts'
import type { Row, Server, Session } from './server.ts'
import type { LedgerRow, PostgresStore } from './store.ts'

/** The transaction that an operation runs in. */
export interface Transaction {
  readonly session: Session
  readonly moment: Moment
  readonly store: PostgresStore
}

/** One caller's operation; `slots` = those that it will look up. */
export interface Operation {
  readonly slots?: readonly string[]
  readonly run: (transaction: Transaction) => unknown
}

export interface Parts {
  readonly server: Server
  readonly store: PostgresStore
  readonly moments: Moments
  readonly keeper: Bookkeeper
  /** Before each group, while nothing is locked: what waits in the spool comes first. */
  readonly first: () => Promise<void>
}

const lockRow = 'BEGIN ISOLATION LEVEL READ COMMITTED; SELECT * FROM ledger WHERE one = 1 FOR UPDATE'
/** After the lock is held: a time taken before it may be long ago. */
const readTime = `SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS at, pg_postmaster_start_time()::text AS started`

/**
 * Operations of one process in groups, each group one transaction that holds the ledger's row from its first statement on. Every
 * operation may be done again (the same reservation id, a settlement twice): so a group whose COMMIT may or may not have happened
 * is simply done once more, on another connection.
 */
export class Transactions {
  readonly #parts: Parts
  readonly #queue: JobQueue<Operation>

  constructor(parts: Parts) {
    this.#parts = parts
    this.#queue = new JobQueue({ runGroup: jobs => this.#runGroup(jobs), idle: () => undefined })
  }

  submit<T>(run: (transaction: Transaction) => T | Promise<T>, slots: readonly string[] = []): Promise<T> {
    return this.#queue.submit({ run, slots })
  }

  close(): Promise<void> {
    return this.#queue.close()
  }

  /** Outside the queue, for what goes before a group. @throws CryptosError */
  async now(operations: readonly Operation[]): Promise<readonly Result[]> {
    return await this.#parts.server.patiently(session => this.#transact(session, operations))
  }

  async #runGroup(jobs: readonly Job<Operation>[]): Promise<void> {
    try {
      await this.#parts.first()
      const results = await this.now(jobs.map(job => job.work))
      for (const [index, job] of jobs.entries()) settleJob(job, results[index])
    } catch (error) {
      await this.#apart(jobs, toCryptosError(error))
    }
  }

  /** A value that the server refuses ends the whole transaction: its neighbours are done without it. */
  async #apart(jobs: readonly Job<Operation>[], error: CryptosError): Promise<void> {
    if (jobs.length === 1 || !isOwnMistake(error)) {
      for (const job of jobs) job.reject(error)
      return
    }
    for (const job of jobs) await this.#runGroup([job])
  }

  async #transact(session: Session, operations: readonly Operation[]): Promise<readonly Result[]> {
    const { store } = this.#parts
    try {
      const moment = await this.#begin(session, operations)
      const results: Result[] = []
      for (const { run } of operations) results.push(await tried(() => run({ session, moment, store })))
      const changed = await store.flush(session, moment.clock)
      await session.query(changed ? 'COMMIT' : 'ROLLBACK')
      store.finish()
      return results
    } catch (error) {
      // Nothing in memory can be trusted by the next try.
      store.forget()
      throw error
    }
  }

  async #begin(session: Session, operations: readonly Operation[]): Promise<Moment> {
    const { store, moments, keeper } = this.#parts
    const asked = moments.ask()
    const [, ledgers, times] = (await session.query(`${lockRow}; ${readTime}`)) as unknown as readonly {
      rows: readonly Row[]
    }[]
    const ledger = ledgerRow(ledgers?.rows[0] ?? {})
    const time = serverTime(times?.rows[0] ?? {}, ledger.clock)
    const moment = moments.answer(asked, time)
    keeper.begin(moment.stamp)
    const slots = operations.flatMap(o => o.slots ?? [])
    await store.begin(session, ledger, { moment, startedAt: time.startedAt, slots })
    return moment
  }
}

export const readLook = `SELECT * FROM ledger WHERE one = 1; ${readTime}`

export const ledgerRow = (row: Row): LedgerRow => ({
  name: String(row['name']),
  version: Number(row['version']),
  sequence: Number(row['sequence']),
  pendingBytes: Number(row['pending_bytes']),
  frozen: row['frozen'] === null ? null : String(row['frozen']),
  clock: String(row['clock'] ?? ''),
})

export const serverTime = (row: Row, clock: string): ServerTime => ({
  wallAt: EpochMicros(Number(row['at'])),
  startedAt: String(row['started']),
  clock,
})

/** A caller's mistake is its own; anything else ends the group. */
async function tried(work: () => unknown): Promise<Result> {
  try {
    return { ok: true, value: await work() }
  } catch (error) {
    if (!isOwnMistake(error)) throw error
    return { ok: false, error }
  }
}
