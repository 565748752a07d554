import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { CryptosError } from '../core/errors.ts'
import { SECOND } from '../core/time.ts'
import { isInputOutputError, mapError, pause, whenRecovered } from './sqlite-errors.ts'

export type SqlValue = string | number | bigint | null | Uint8Array
export type SqlRow = Record<string, SqlValue>

export interface SqlOptions {
  /** FULL where a commit must survive a power cut (ledger, log); NORMAL where the source can be read again. */
  readonly synchronous: 'FULL' | 'NORMAL'
  readonly readOnly?: boolean
  /** How long a write transaction waits for other processes. */
  readonly lockDeadlineMs?: number
}

type Execute = (statement: StatementSync, values: readonly SqlValue[]) => unknown
/** Runs one statement, with the errors mapped. Functions are handed over, not made: a ledger runs some hundred thousand a minute. */
type Runner = (execute: Execute, statement: StatementSync, values: readonly SqlValue[]) => unknown

const run: Execute = (statement, values) => statement.run(...values)
const get: Execute = (statement, values) => statement.get(...values)
const all: Execute = (statement, values) => statement.all(...values)

/** A prepared statement that refuses what node:sqlite takes silently: missing parameters, objects, a second statement. */
export class Statement {
  readonly #statement: StatementSync
  readonly #parameters: number
  readonly #run: Runner
  constructor(statement: StatementSync, sql: string, run: Runner) {
    this.#statement = statement
    this.#parameters = countParameters(sql)
    this.#run = run
  }
  run(...values: SqlValue[]): { changes: number; lastInsertRowid: number } {
    this.#check(values)
    return this.#run(run, this.#statement, values) as { changes: number; lastInsertRowid: number }
  }
  get(...values: SqlValue[]): SqlRow | undefined {
    this.#check(values)
    return this.#run(get, this.#statement, values) as SqlRow | undefined
  }
  all(...values: SqlValue[]): SqlRow[] {
    this.#check(values)
    return this.#run(all, this.#statement, values) as SqlRow[]
  }
  #check(values: readonly SqlValue[]): void {
    if (values.length !== this.#parameters)
      throw new CryptosError('CRY_INTERNAL', `SQL wants ${this.#parameters} parameters, got ${values.length}`)
    for (const value of values) {
      const ok =
        value === null ||
        typeof value === 'string' ||
        typeof value === 'number' ||
        typeof value === 'bigint' ||
        value instanceof Uint8Array
      if (!ok) throw new CryptosError('CRY_INTERNAL', `SQL parameter of type ${typeof value}`)
    }
  }
}

/**
 * One SQLite file: WAL, private to the user, every write transaction BEGIN IMMEDIATE. Errors are CryptosErrors:
 * CRY_DISK_FULL, CRY_TOO_MANY_FILES, CRY_STORE_BUSY, CRY_STORE_CORRUPT, CRY_STORE_UNWRITABLE, CRY_STORE_BROKEN. After the last, an I/O error, the
 * handle refuses all further work, because a failed fsync can not be repeated: the process must end and open the file anew.
 */
export class SqlDb {
  readonly file: string
  readonly #db: DatabaseSync
  readonly #lockDeadlineMs: number
  #broken: CryptosError | undefined
  #inTransaction = false
  readonly #runner: Runner = (execute, statement, values) => this.#guard(execute, statement, values)
  #begin: Statement | undefined
  #commit: Statement | undefined

  constructor(file: string, options: SqlOptions) {
    this.file = file
    this.#lockDeadlineMs = options.lockDeadlineMs ?? 10 * SECOND
    this.#db = this.#guard(() => openFile(file, options))
    try {
      this.#setUp(options)
    } catch (error) {
      this.#db.close()
      throw error
    }
  }

  #setUp({ synchronous, readOnly }: SqlOptions): void {
    const always = `PRAGMA busy_timeout=0; PRAGMA temp_store=MEMORY; PRAGMA foreign_keys=ON; PRAGMA synchronous=${synchronous}`
    this.#patiently(() => this.exec(always))
    if (!readOnly)
      this.#patiently(() => this.exec('PRAGMA journal_mode=WAL; PRAGMA journal_size_limit=67108864'))
  }

  prepare(sql: string): Statement {
    if (/;\s*\S/.test(sql)) throw new CryptosError('CRY_INTERNAL', 'two SQL statements in one prepare')
    const statement = this.#guard(() => this.#db.prepare(sql))
    return new Statement(statement, sql, this.#runner)
  }

  exec(sql: string): void {
    this.#guard(() => this.#db.exec(sql))
  }

  /** Runs `work` in BEGIN IMMEDIATE … COMMIT without waiting for a lock. @throws CRY_STORE_BUSY when another process writes */
  transactionNow<T>(work: () => T): T {
    if (this.#inTransaction) throw new CryptosError('CRY_INTERNAL', 'a transaction inside a transaction')
    this.#begin ??= this.prepare('BEGIN IMMEDIATE')
    this.#commit ??= this.prepare('COMMIT')
    this.#begin.run()
    this.#inTransaction = true
    try {
      const result = work()
      if (result instanceof Promise) throw new CryptosError('CRY_INTERNAL', 'a transaction must not be async')
      this.#commit.run()
      return result
    } catch (error) {
      this.#rollback()
      throw error
    } finally {
      this.#inTransaction = false
    }
  }

  /** The same, trying again every 1-3 ms while another process writes: SQLite's own busy handler starves writers. */
  async transaction<T>(work: () => T, signal?: AbortSignal): Promise<T> {
    let giveUpAt = 0
    for (;;) {
      signal?.throwIfAborted()
      try {
        return this.transactionNow(work)
      } catch (error) {
        const busy = error instanceof CryptosError && error.code === 'CRY_STORE_BUSY'
        if (!busy) throw error
        giveUpAt ||= performance.now() + this.#lockDeadlineMs
        if (performance.now() > giveUpAt) throw error
      }
      await sleep(1 + Math.random() * 2)
    }
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close()
  }

  #rollback(): void {
    if (this.#db.isOpen && this.#db.isTransaction) this.#db.exec('ROLLBACK')
  }

  /** Opening can meet another process that opens, closes or recovers the file: it takes milliseconds, so this thread may wait. */
  #patiently(work: () => void): void {
    let giveUpAt = 0
    for (;;) {
      try {
        work()
        return
      } catch (error) {
        const busy = error instanceof CryptosError && error.code === 'CRY_STORE_BUSY'
        if (!busy) throw error
        giveUpAt ||= performance.now() + this.#lockDeadlineMs
        if (performance.now() > giveUpAt) throw error
        pause(2)
      }
    }
  }

  #guard<Args extends readonly unknown[], T>(work: (...args: Args) => T, ...args: Args): T {
    if (this.#broken) throw this.#broken
    try {
      return whenRecovered(work, args)
    } catch (error) {
      const mapped = mapError(error, this.file)
      if (isInputOutputError(error)) this.#broken = mapped
      throw mapped
    }
  }
}

function openFile(file: string, options: SqlOptions): DatabaseSync {
  if (!options.readOnly) {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600))
  }
  return new DatabaseSync(file, { readOnly: options.readOnly ?? false })
}

const countParameters = (sql: string): number =>
  (sql.replaceAll(/'(?:[^']|'')*'/g, '').match(/\?/g) ?? []).length
