import type { EpochMicros } from '../../../core/brands.ts'
import type { Run } from '../../../core/records.ts'
import { parseIso } from '../../../core/time.ts'
import type { SqlDb } from '../../../host/sqlite.ts'

/** Newest runs that are kept. */
const runsKept = 10_000

/** What the ledger keeps to be looked at: runs, slots by dataset, and the freeze of everything. */
export class Archive {
  readonly #sql

  constructor(db: SqlDb) {
    this.#sql = {
      addRun: db.prepare('INSERT OR REPLACE INTO runs(run_id, body) VALUES (?, ?)'),
      cutRuns: db.prepare('DELETE FROM runs WHERE id <= ?'),
      runs: db.prepare('SELECT body FROM runs ORDER BY id DESC LIMIT ?'),
      tried: db.prepare('SELECT slot FROM slots WHERE slot >= ? AND slot < ? ORDER BY slot DESC LIMIT 1'),
      answered: db.prepare(
        `SELECT slot FROM slots WHERE slot >= ? AND slot < ? AND state IN ('answered', 'published') ORDER BY slot DESC LIMIT 1`,
      ),
      frozen: db.prepare(`SELECT value FROM meta WHERE name = 'frozen'`),
      freeze: db.prepare(`INSERT OR REPLACE INTO meta(name, value) VALUES ('frozen', ?)`),
      thaw: db.prepare(`DELETE FROM meta WHERE name = 'frozen'`),
    } as const
  }

  /** Of `<provider>/<dataset>`: slots sort by their period within it. A slot in flight counts as tried. */
  lastSlots(
    dataset: string,
    inFlight: readonly string[],
  ): { answered: EpochMicros | null; tried: EpochMicros | null } {
    const range = [`${dataset}/`, `${dataset}0`] as const
    let tried = String(this.#sql.tried.get(...range)?.['slot'] ?? '')
    for (const slot of inFlight) if (slot.startsWith(range[0]) && slot > tried) tried = slot
    const answered = String(this.#sql.answered.get(...range)?.['slot'] ?? '')
    return { answered: periodOf(answered), tried: periodOf(tried) }
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
