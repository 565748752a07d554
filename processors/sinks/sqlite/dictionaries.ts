import type { Quote } from '../../../core/records.ts'
import type { SqlDb, SqlValue, Statement } from '../../../host/sqlite.ts'

/**
 * How many ids are remembered before a dictionary forgets them all and asks the file again: bounds, not tuning knobs. An answer is
 * mostly used for its own rows and never again, so a few are enough for those of one batch.
 */
const maxRemembered = 50_000
const maxAnswers = 64

/** Text that repeats, as small integers. Ids are added inside the caller's transaction and forgotten when it is rolled back. */
class Dictionary {
  readonly #ids = new Map<string, number>()
  #added: string[] = []
  readonly #find: Statement
  readonly #add: Statement
  readonly #most: number
  constructor(db: SqlDb, table: string, columns: readonly string[], most = maxRemembered) {
    this.#most = most
    this.#find = db.prepare(`SELECT id FROM ${table} WHERE ${columns.map(c => `${c}=?`).join(' AND ')}`)
    this.#add = db.prepare(
      `INSERT INTO ${table}(${columns.join(',')}) VALUES(${columns.map(() => '?').join(',')})`,
    )
  }
  idOf(key: string, ...values: SqlValue[]): number {
    const known = this.#ids.get(key)
    if (known !== undefined) return known
    if (this.#ids.size >= this.#most) this.#ids.clear()
    const row = this.#find.get(...values)
    const id = row ? Number(row['id']) : this.#add.run(...values).lastInsertRowid
    this.#ids.set(key, id)
    if (!row) this.#added.push(key)
    return id
  }
  /** How many are remembered. */
  get size(): number {
    return this.#ids.size
  }
  settled(committed: boolean): void {
    if (!committed) for (const key of this.#added) this.#ids.delete(key)
    this.#added = []
  }
}

export class Dictionaries {
  readonly #series: Dictionary
  readonly #labels: Dictionary
  readonly #answers: Dictionary
  #lastAnswer: {
    readonly rawRef: string
    readonly runId: string
    readonly credits: number
    readonly id: number
  }
  constructor(db: SqlDb) {
    this.#series = new Dictionary(db, 'series', ['provider', 'asset', 'currency'])
    this.#labels = new Dictionary(db, 'label', ['symbol', 'sourceId'])
    this.#answers = new Dictionary(db, 'answer', ['rawRef', 'runId', 'credits'], maxAnswers)
    this.#lastAnswer = noAnswer
  }
  /** Id of (provider, asset, currency). The separator can not stand in any of the three. */
  series(q: Quote): number {
    return this.#series.idOf(`${q.provider}|${q.asset}|${q.currency}`, q.provider, q.asset, q.currency)
  }
  label(q: Quote): number {
    return this.#labels.idOf(`${q.symbol}\u0000${q.sourceId}`, q.symbol, q.sourceId)
  }
  /** The quotes of one answer lie side by side, so the last one is mostly the right one. */
  answer(q: Quote): number {
    const last = this.#lastAnswer
    if (last.rawRef === q.rawRef && last.runId === q.runId && last.credits === q.credits) return last.id
    const key = `${q.credits}\u0000${q.runId}\u0000${q.rawRef}`
    const id = this.#answers.idOf(key, q.rawRef, q.runId, q.credits)
    this.#lastAnswer = { rawRef: q.rawRef, runId: q.runId, credits: q.credits, id }
    return id
  }
  /** Entries in memory, over all dictionaries. */
  get size(): number {
    return this.#series.size + this.#labels.size + this.#answers.size
  }
  /** To be told how the transaction ended. */
  settled(committed: boolean): void {
    for (const dictionary of [this.#series, this.#labels, this.#answers]) dictionary.settled(committed)
    if (!committed) this.#lastAnswer = noAnswer
  }
}

const noAnswer = { rawRef: '', runId: '', credits: -1, id: 0 }
