import { EpochMicros } from '../../../core/brands.ts'
import type { LastSlots } from '../../../core/ports/ledger.ts'
import type { Run } from '../../../core/records.ts'
import { parseIso, toIso } from '../../../core/time.ts'
import type { SqlDb } from '../../../host/sqlite.ts'

/** Newest runs that are kept. */
const runsKept = 10_000

export interface SlotsWanted {
  readonly now: EpochMicros
  /** Slots whose calls are under way: they are not in the table yet. */
  readonly inFlight: readonly string[]
  readonly maxAttempts: number
}

/** What the ledger keeps to be looked at: runs, slots by dataset, and the freeze of everything. */
export class Archive {
  readonly #sql

  constructor(db: SqlDb) {
    this.#sql = {
      addRun: db.prepare('INSERT OR REPLACE INTO runs(run_id, body) VALUES (?, ?)'),
      cutRuns: db.prepare('DELETE FROM runs WHERE id <= ?'),
      runs: db.prepare('SELECT body FROM runs ORDER BY id DESC LIMIT ?'),
      tried: db.prepare('SELECT slot FROM slots WHERE slot >= ? AND slot < ? ORDER BY slot DESC LIMIT 1'),
      first: db.prepare('SELECT slot FROM slots WHERE slot >= ? AND slot < ? ORDER BY slot LIMIT 1'),
      answered: db.prepare(
        `SELECT slot FROM slots WHERE slot >= ? AND slot < ? AND state IN ('answered', 'published') ORDER BY slot DESC LIMIT 1`,
      ),
      failed: db.prepare(
        `SELECT max(updated_at) AS at FROM slots WHERE slot >= ? AND slot < ? AND state LIKE 'failed-%' AND attempts < ?`,
      ),
      frozen: db.prepare(`SELECT value FROM meta WHERE name = 'frozen'`),
      freeze: db.prepare(`INSERT OR REPLACE INTO meta(name, value) VALUES ('frozen', ?)`),
      thaw: db.prepare(`DELETE FROM meta WHERE name = 'frozen'`),
    } as const
  }

  /**
   * Of `<provider>/<dataset>`: slots sort by their period within it, and '0' follows the '/' that ends it. A slot in flight counts
   * as tried. What begins after now (a scheduler named it, or the clock was wrong then) must not stop what is due now.
   */
  lastSlots(dataset: string, { now, inFlight, maxAttempts }: SlotsWanted): LastSlots {
    const [from, to] = [`${dataset}/`, `${dataset}/${toIso(now)}0`]
    let tried = String(this.#sql.tried.get(from, to)?.['slot'] ?? '')
    for (const slot of inFlight) if (slot > tried && slot >= from && slot < to) tried = slot
    const answered = String(this.#sql.answered.get(from, to)?.['slot'] ?? '')
    const period = tried.split('/', 3).join('/')
    const failed = tried === '' ? null : this.#sql.failed.get(`${period}/`, `${period}0`, maxAttempts)?.['at']
    const after = answered === '' ? from : `${answered.split('/', 3).join('/')}0`
    // A slot in flight is not in the table, and may be all that was tried.
    const failing = tried < after ? '' : String(this.#sql.first.get(after, to)?.['slot'] ?? tried)
    return {
      failingSince: periodOf(failing),
      answered: periodOf(answered),
      tried: periodOf(tried),
      failedAt: typeof failed === 'number' ? EpochMicros(failed) : null,
    }
  }

  /** Inside a transaction. The same run again replaces itself. */
  addRun(run: Run): void {
    const { lastInsertRowid } = this.#sql.addRun.run(run.runId, JSON.stringify(run))
    this.#sql.cutRuns.run(lastInsertRowid - runsKept)
  }

  runs(limit: number): readonly Run[] {
    return this.#sql.runs.all(limit).map(row => JSON.parse(String(row['body'])) as Run)
  }

  frozenEverywhere(): string | null {
    const value = this.#sql.frozen.get()?.['value']
    return typeof value === 'string' ? value : null
  }

  /** Inside a transaction: scopes that are opened later are frozen too; null ends it. */
  freezeEverywhere(reason: string | null): void {
    if (reason === null) this.#sql.thaw.run()
    else this.#sql.freeze.run(reason)
  }
}

/** `<provider>/<dataset>/<period start, ISO>/<page>` */
function periodOf(slot: string): EpochMicros | null {
  const text = slot.split('/')[2]
  return text ? parseIso(text) : null
}
