import { CryptosError } from '../../../core/errors.ts'
import type { RawAnswer } from '../../../core/ports/ledger.ts'
import type { EpochMicros } from '../../../core/brands.ts'
import type { EventDraft } from '../../policy/events.ts'
import type { SlotRow } from '../../policy/slots.ts'
import type { Spent } from '../../policy/spending.ts'
import { encodeState, type ScopeState } from '../../policy/state.ts'
import type { Books } from '../common/bookkeeper.ts'
import { EventRow } from '../common/event-row.ts'
import { pack } from '../common/packing.ts'
import { eventsKept, spendingKeptMs } from '../common/retention.ts'
import { slotRow } from '../common/rows.ts'
import { addedUp } from '../common/spending.ts'
import { type ScopeRow, Unit, type UnitStore } from '../common/unit.ts'
import type { Moment } from './moment.ts'
import {
  addAnswer,
  addSpending,
  scopeRow,
  slotColumns,
  spendingColumns,
  upsertSlots,
  writeAll,
} from './rows.ts'
import type { Row, Session } from './server.ts'

/** The ledger's one row, which a transaction holds from its first statement on. */
export interface LedgerRow {
  readonly name: string
  readonly version: number
  readonly sequence: number
  readonly pendingBytes: number
  readonly frozen: string | null
  readonly clock: string
}

/** What a group of operations will look up, and its time. */
export interface GroupNeeds {
  readonly moment: Moment
  /** When the server was started, by its own word. */
  readonly startedAt: string
  readonly slots: readonly string[]
}

/**
 * The transaction's view of the server's tables. What the operations of a group leave in memory is written by `flush`, in as few
 * statements as can be, because the ledger's row is locked meanwhile. Scopes stay in memory between transactions for as long as
 * the ledger's version tells that nobody else wrote; else only those are read that were written since. On another connection, or
 * after a start of the server, it may be a standby or a backup that has come to the same version in another way: all are read.
 */
export class PostgresStore implements UnitStore, Books {
  readonly unit = new Unit(this)
  readonly #rows = new Map<string, ScopeRow>()
  readonly #slots = new Map<string, SlotRow>()
  #answers: { readonly answer: RawAnswer; readonly credits: number }[] = []
  #spent: Spent[] = []
  /** The day whose first charge has removed what is too old. */
  #prunedAt = 0
  #events = new EventRow()
  #ledger: LedgerRow | undefined
  /** What was read up to; undefined = nothing in memory can be trusted. */
  #version: number | undefined
  /** Where it was read. */
  #source: { readonly session: Session; readonly startedAt: string } | undefined
  #pendingBytes = 0
  #frozen: string | null = null
  #touched = false
  readonly #leftBytes: () => number
  timeOf: Books['timeOf'] = told => told

  /** `leftBytes`: of answers that wait elsewhere. */
  constructor(leftBytes: () => number) {
    this.#leftBytes = leftBytes
  }

  /** Under the lock: brings the memory up to date and looks up the slots that the group will ask for. */
  async begin(session: Session, ledger: LedgerRow, { moment, startedAt, slots }: GroupNeeds): Promise<void> {
    if (this.#source?.session !== session || this.#source.startedAt !== startedAt) this.forget()
    this.#source = { session, startedAt }
    this.#ledger = ledger
    this.timeOf = moment.timeOf
    this.#pendingBytes = ledger.pendingBytes
    this.#frozen = ledger.frozen
    if (this.#version !== ledger.version) await this.#readScopes(session, this.#version ?? 0)
    this.#version = ledger.version
    if (slots.length > 0) await this.#readSlots(session, slots)
  }

  async #readScopes(session: Session, since: number): Promise<void> {
    const { rows } = await session.query<Row>(
      'SELECT scope, version, state FROM scopes WHERE written > $1 ORDER BY id',
      [since],
    )
    this.unit.forget()
    for (const row of rows) this.#rows.set(String(row['scope']), scopeRow(row))
  }

  async #readSlots(session: Session, slots: readonly string[]): Promise<void> {
    const { rows } = await session.query<Row>('SELECT * FROM slots WHERE slot = ANY($1)', [slots])
    for (const row of rows) this.#slots.set(String(row['slot']), slotRow(row))
  }

  /** The transaction came to nothing, or nobody knows. */
  forget(): void {
    this.unit.forget()
    this.#rows.clear()
    this.#version = undefined
    this.#clearWork()
  }

  scope(name: string): ScopeRow | undefined {
    return this.#rows.get(name)
  }

  scopeNames(): readonly string[] {
    return [...this.#rows.keys()]
  }

  /** Of those that the group named. */
  slot(slot: string): SlotRow | undefined {
    return this.#slots.get(slot)
  }

  tell(draft: EventDraft, state: ScopeState, at: EpochMicros): void {
    this.#events.add(draft, state, at)
  }

  pendingBytes(): number {
    return this.#pendingBytes + this.#leftBytes()
  }

  /** Bytes that are not pending any more (negative), or are again. */
  addPendingBytes(bytes: number): void {
    this.#pendingBytes += bytes
    this.#touched = true
  }

  addAnswer(answer: RawAnswer, credits: number): void {
    this.#answers.push({ answer, credits })
    this.#pendingBytes += answer.body.byteLength
  }

  spend(spent: Spent): void {
    this.#spent.push(spent)
  }

  frozenEverywhere(): string | null {
    return this.#frozen
  }

  freezeEverywhere(reason: string | null): void {
    this.#frozen = reason
    this.#touched = true
  }

  /** Something besides scopes, slots and events was written. */
  touch(): void {
    this.#touched = true
  }

  /** Writes what was changed. False = there was nothing. @throws CRY_STORE_BUSY when a version is not the one that was read */
  async flush(session: Session, clock: string): Promise<boolean> {
    const scopes = this.unit.dirtyScopes()
    const hasWork =
      this.#touched ||
      scopes.length > 0 ||
      this.unit.hasDirtySlots ||
      this.#answers.length > 0 ||
      this.#events.size > 0
    if (!hasWork) return false
    for (const { answer, credits } of this.#answers) await this.#writeAnswer(session, answer, credits)
    if (this.unit.hasDirtySlots) await session.query(upsertSlots, slotColumns(this.unit.dirtySlots()))
    if (this.#spent.length > 0) await this.#writeSpending(session)
    await this.#writeLedger(session, scopes, clock)
    return true
  }

  /** After COMMIT. */
  finish(): void {
    for (const row of this.unit.dirtyScopes()) {
      this.unit.wrote(row)
      this.#rows.set(row.state.scope, { ...row, version: row.version + 1 })
    }
    this.#clearWork()
  }

  #clearWork(): void {
    this.unit.finish()
    this.#slots.clear()
    this.#answers = []
    this.#spent = []
    this.#touched = false
    if (this.#events.size > 0) this.#events = new EventRow()
  }

  async #writeAnswer(session: Session, answer: RawAnswer, credits: number): Promise<void> {
    const { answerId, provider, dataset, slot, runId, receivedAt, httpStatus, context, body } = answer
    const stored = pack(body)
    const values = [answerId, provider, dataset, slot, runId, receivedAt, httpStatus, context, credits]
    const bytes = [body.byteLength, stored.packed === 1, Buffer.from(stored.body)]
    const { rowCount } = await session.query(addAnswer, [...values, ...bytes])
    if (rowCount === 0) this.#pendingBytes -= body.byteLength
  }

  async #writeSpending(session: Session): Promise<void> {
    await session.query(addSpending, spendingColumns(addedUp(this.#spent)))
    const newest = Math.max(...this.#spent.map(({ day }) => day))
    if (newest <= this.#prunedAt) return
    await session.query('DELETE FROM spending WHERE day < $1', [newest - spendingKeptMs * 1_000])
    this.#prunedAt = newest
  }

  /** Scopes, events and the ledger's own row in one statement. */
  async #writeLedger(session: Session, scopes: readonly ScopeRow[], clock: string): Promise<void> {
    const { version = 0, sequence = 0 } = this.#ledger ?? {}
    const newest = sequence + this.#events.size
    const { rows } = await session.query<{ scopes: string; ledgers: string }>(writeAll, [
      version,
      newest,
      this.#pendingBytes,
      this.#frozen,
      clock,
      scopes.map(row => row.state.scope),
      scopes.map(row => row.version + 1),
      scopes.map(row => encodeState(row.state)),
      this.#events.size > 0 ? this.#events.encode() : null,
    ])
    if (Number(rows[0]?.scopes) !== scopes.length || Number(rows[0]?.ledgers) !== 1)
      throw new CryptosError('CRY_STORE_BUSY', 'a scope of the quota ledger was changed by another process')
    if (newest % 1_000 < this.#events.size)
      await session.query('DELETE FROM events WHERE sequence <= $1', [newest - eventsKept])
    this.#version = version + 1
  }
}
