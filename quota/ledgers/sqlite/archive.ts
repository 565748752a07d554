import type { LastSlots } from '../../../core/ports/ledger.ts'
import type { Run } from '../../../core/records.ts'
import type { SqlDb } from '../../../host/sqlite.ts'
import {
  lastSlotsOf,
  newestTried,
  periodRange,
  slotsAfter,
  slotsOfRuns,
  type SlotsWanted,
  slotsUntil,
} from '../common/last-slots.ts'
import { runsKept } from '../common/retention.ts'

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
        `SELECT max(updated_at) AS at FROM slots WHERE slot >= ? AND slot < ? AND state LIKE 'failed-%' AND slot NOT LIKE '${slotsOfRuns}' AND attempts < ?`,
      ),
      state: db.prepare(`SELECT state FROM slots WHERE slot = ? AND state IN ('answered', 'published')`),
      frozen: db.prepare(`SELECT value FROM meta WHERE name = 'frozen'`),
      freeze: db.prepare(`INSERT OR REPLACE INTO meta(name, value) VALUES ('frozen', ?)`),
      thaw: db.prepare(`DELETE FROM meta WHERE name = 'frozen'`),
    } as const
  }

  lastSlots(dataset: string, { now, inFlight, maxAttempts }: SlotsWanted): LastSlots {
    const range = slotsUntil(dataset, now)
    const tried = newestTried(String(this.#sql.tried.get(...range)?.['slot'] ?? ''), range, inFlight)
    const answered = String(this.#sql.answered.get(...range)?.['slot'] ?? '')
    const failedAt = tried === '' ? null : this.#sql.failed.get(...periodRange(tried), maxAttempts)?.['at']
    const after = slotsAfter(answered, range)
    const first = String(this.#sql.first.get(...after)?.['slot'] ?? '')
    return lastSlotsOf({ answered, tried, first, failedAt }, after)
  }

  answered(slots: readonly string[]): ReadonlyMap<string, 'answered' | 'published'> {
    const found = slots.flatMap(slot => {
      const state = this.#sql.state.get(slot)?.['state']
      return state === 'answered' || state === 'published' ? [[slot, state] as const] : []
    })
    return new Map(found)
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
