import type { LastSlots, Spending } from '../../../core/ports/ledger.ts'
import type { QuotaEvent, Run } from '../../../core/records.ts'
import { addMs, DAY } from '../../../core/time.ts'
import type { ScopeState } from '../../policy/state.ts'
import { type EventsWanted, wantedOf } from '../common/event-row.ts'
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
import { oldestMonth, spendingOf } from '../common/spending.ts'
import type { Server, Session } from './server.ts'

const rowsAtOnce = 500
const within = 'FROM slots WHERE slot >= $1 AND slot < $2'

/** What the ledger keeps to be looked at: slots by dataset, events, runs. Nothing is locked. */
export class PostgresArchive {
  readonly #server: Server

  constructor(server: Server) {
    this.#server = server
  }

  async lastSlots(dataset: string, { now, inFlight, maxAttempts }: SlotsWanted): Promise<LastSlots> {
    const range = slotsUntil(dataset, now)
    const newest = `SELECT slot AS found ${within} ORDER BY slot DESC LIMIT 1`
    const isAnswered = `SELECT slot AS found ${within} AND state IN ('answered', 'published') ORDER BY slot DESC LIMIT 1`
    const tried = newestTried(await this.#text(newest, range), range, inFlight)
    const answered = await this.#text(isAnswered, range)
    const after = slotsAfter(answered, range)
    const first = await this.#text(`SELECT slot AS found ${within} ORDER BY slot LIMIT 1`, after)
    const failed = `SELECT max(updated_at) AS found ${within} AND state LIKE 'failed-%' AND slot NOT LIKE '${slotsOfRuns}' AND attempts < $3`
    const failedAt = tried === '' ? null : await this.#found(failed, [...periodRange(tried), maxAttempts])
    return lastSlotsOf({ answered, tried, first, failedAt }, after)
  }

  async #found(sql: string, values: readonly unknown[]): Promise<unknown> {
    return (await this.#server.rows(sql, values))[0]?.['found'] ?? null
  }

  async #text(sql: string, values: readonly unknown[]): Promise<string> {
    return String((await this.#found(sql, values)) ?? '')
  }

  /** Of states that are brought up to date. */
  async spending(states: readonly ScopeState[]): Promise<readonly Spending[]> {
    // A month may open within a day.
    const from = addMs(oldestMonth(states), -DAY)
    return spendingOf(await this.#server.rows('SELECT * FROM spending WHERE day >= $1', [from]), states)
  }

  async answered(slots: readonly string[]): Promise<ReadonlyMap<string, 'answered' | 'published'>> {
    const sql = `SELECT slot, state FROM slots WHERE slot = ANY($1) AND state IN ('answered', 'published')`
    const rows = await this.#server.rows(sql, [slots])
    return new Map(rows.map(r => [String(r['slot']), r['state'] === 'published' ? 'published' : 'answered']))
  }

  async events(ledger: string, wanted: EventsWanted): Promise<readonly QuotaEvent[]> {
    const { limit, after } = wanted
    const [sign, order] = after === undefined ? ['<', 'DESC'] : ['>', 'ASC']
    const sql = `SELECT sequence, body FROM events WHERE sequence ${sign} $1 ORDER BY sequence ${order} LIMIT $2`
    const found: QuotaEvent[] = []
    let place = after ?? Number.MAX_SAFE_INTEGER
    for (;;) {
      const rows = await this.#server.rows(sql, [place, rowsAtOnce])
      for (const row of rows) found.push(...wantedOf(ledger, row, wanted))
      const last = rows.at(-1)
      if (!last || rows.length < rowsAtOnce || found.length >= limit) break
      place = Number(last['sequence'])
    }
    return found.slice(0, limit)
  }

  /** Inside a transaction. The same run again replaces itself, as the newest. */
  async addRun(session: Session, run: Run): Promise<void> {
    await session.query('DELETE FROM runs WHERE run_id = $1', [run.runId])
    const values = [run.runId, JSON.stringify(run)]
    const { rows } = await session.query<{ id: string }>(
      'INSERT INTO runs(run_id, body) VALUES ($1, $2) RETURNING id',
      values,
    )
    await session.query('DELETE FROM runs WHERE id <= $1', [Number(rows[0]?.id ?? 0) - runsKept])
  }

  async runs(limit: number): Promise<readonly Run[]> {
    const rows = await this.#server.rows('SELECT body FROM runs ORDER BY id DESC LIMIT $1', [limit])
    return rows.map(row => JSON.parse(String(row['body'])) as Run)
  }
}
