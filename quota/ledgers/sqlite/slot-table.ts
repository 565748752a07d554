import type { SqlDb, SqlValue } from '../../../host/sqlite.ts'
import type { SlotRow } from '../../policy/slots.ts'
import { slotRow } from '../common/rows.ts'

const places = '(?, ?, ?, ?, ?, ?, ?, ?, ?)'
const many = 8

const valuesOf = (row: SlotRow): SqlValue[] => [
  row.slot,
  row.state,
  row.attempts,
  row.scope,
  row.reservationId,
  row.reservedAt,
  row.deadline,
  row.answerId,
  row.updatedAt,
]

/**
 * The slots that were settled or reaped, by key. Keys grow with time within a dataset, and most that are asked for are newer than
 * all that lie here: the newest of each dataset is remembered, so that those need no look-up. It is an upper bound for as long as
 * no other process writes (rows are only removed behind it).
 */
export class SlotTable {
  readonly #sql
  readonly #newest = new Map<string, string>()

  constructor(db: SqlDb) {
    this.#sql = {
      find: db.prepare('SELECT * FROM slots WHERE slot = ?'),
      newest: db.prepare('SELECT slot FROM slots WHERE slot >= ? AND slot < ? ORDER BY slot DESC LIMIT 1'),
      write: db.prepare(`INSERT OR REPLACE INTO slots VALUES ${places}`),
      writeMany: db.prepare(`INSERT OR REPLACE INTO slots VALUES ${Array(many).fill(places).join(', ')}`),
    } as const
  }

  /** Another process wrote, or a transaction was rolled back. */
  forget(): void {
    this.#newest.clear()
  }

  find(slot: string): SlotRow | undefined {
    const dataset = datasetOf(slot)
    if (dataset !== undefined && slot > this.#newestOf(dataset)) return undefined
    const row = this.#sql.find.get(slot)
    return row && slotRow(row)
  }

  /** Inside a transaction. Several rows go in one statement: callers of one commit settle together. */
  write(rows: readonly SlotRow[]): void {
    let at = 0
    for (; at + many <= rows.length; at += many)
      this.#sql.writeMany.run(...rows.slice(at, at + many).flatMap(valuesOf))
    for (; at < rows.length; at += 1) this.#sql.write.run(...valuesOf(rows[at] as SlotRow))
    for (const { slot } of rows) {
      const dataset = datasetOf(slot)
      if (dataset !== undefined && slot > this.#newestOf(dataset)) this.#newest.set(dataset, slot)
    }
  }

  /** The newest slot of `<provider>/<dataset>`; '' where there is none. */
  #newestOf(dataset: string): string {
    const known = this.#newest.get(dataset)
    if (known !== undefined) return known
    // '0' follows '/': the range holds every key that begins with `<dataset>/`.
    const found = String(this.#sql.newest.get(`${dataset}/`, `${dataset}0`)?.['slot'] ?? '')
    this.#newest.set(dataset, found)
    return found
  }
}

/** All before the second slash; undefined for a key that is not `<provider>/<dataset>/…`. Keys are ASCII: both sides sort alike. */
function datasetOf(slot: string): string | undefined {
  const end = slot.indexOf('/', slot.indexOf('/') + 1)
  return end > slot.indexOf('/') ? slot.slice(0, end) : undefined
}
