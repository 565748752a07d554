import type { Spending } from '../../../core/ports/ledger.ts'
import { addMs, DAY } from '../../../core/time.ts'
import type { SqlDb, Statement } from '../../../host/sqlite.ts'
import type { Spent } from '../../policy/spending.ts'
import type { ScopeState } from '../../policy/state.ts'
import { spendingKeptMs } from '../common/retention.ts'
import { oldestMonth, spendingOf } from '../common/spending.ts'

const statements = {
  add: `INSERT INTO spending(day, scope, month, spender, dataset, calls, credits) VALUES (?, ?, ?, ?, ?, 1, ?)
    ON CONFLICT DO UPDATE SET calls = calls + 1, credits = credits + excluded.credits`,
  prune: 'DELETE FROM spending WHERE day < ?',
  read: 'SELECT * FROM spending WHERE day >= ?',
} as const

/** Who spent what, by day. Its statements are made when somebody is named: a start that needs none pays for none. */
export class Purse {
  readonly #db: SqlDb
  readonly #made = new Map<string, Statement>()
  /** The day whose first charge has removed what is too old. */
  #prunedAt = 0

  constructor(db: SqlDb) {
    this.#db = db
  }

  /** Inside the transaction that charges. */
  spend({ day, scope, month, spender, dataset, credits }: Spent): void {
    this.#sql('add').run(day, scope, month, spender, dataset, credits)
    if (day <= this.#prunedAt) return
    this.#sql('prune').run(addMs(day, -spendingKeptMs))
    this.#prunedAt = day
  }

  /** Of states that are brought up to date. */
  spending(states: readonly ScopeState[]): readonly Spending[] {
    // A month may open within a day.
    return spendingOf(this.#sql('read').all(addMs(oldestMonth(states), -DAY)), states)
  }

  #sql(name: keyof typeof statements): Statement {
    const made = this.#made.get(name) ?? this.#db.prepare(statements[name])
    this.#made.set(name, made)
    return made
  }
}
