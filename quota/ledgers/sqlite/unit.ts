import { CryptosError } from '../../../core/errors.ts'
import type { SqlDb, Statement } from '../../../host/sqlite.ts'
import { changedSlot, reservedSlot, type SlotChange, type SlotRow, slotOfChange } from '../../policy/slots.ts'
import { decodeState, encodeState, type ScopeState } from '../../policy/state.ts'
import type { EventLog } from './event-log.ts'
import { SlotTable } from './slot-table.ts'

interface ScopeRow {
  readonly id: number
  readonly version: number
  readonly state: ScopeState
}

/**
 * One transaction's view: scopes and slots are read once, changed in memory and written at the end, each scope as one
 * version-checked update however many callers share the commit. Between transactions the scopes, with the slots in flight, stay in
 * memory for as long as no other process has written (PRAGMA data_version); slots are looked up anew in each.
 */
export class Unit {
  readonly #sql: Record<keyof typeof statements, Statement>
  #scopes = new Map<string, ScopeRow>()
  readonly #dirty = new Set<string>()
  readonly #slotTable: SlotTable
  readonly #slots = new Map<string, SlotRow | undefined>()
  readonly #dirtySlots = new Set<string>()
  #names: readonly string[] | undefined
  #touched = false
  #dataVersion: number | undefined
  readonly #events: EventLog

  constructor(db: SqlDb, events: EventLog) {
    this.#events = events
    this.#sql = prepareAll(db)
    this.#slotTable = new SlotTable(db)
  }

  /** True when another process has written since the last transaction. */
  begin(): boolean {
    const version = Number(this.#sql.dataVersion.get()?.['data_version'])
    if (version === this.#dataVersion) return false
    this.forget()
    this.#dataVersion = version
    return true
  }

  /** After a rollback nothing in memory can be trusted. */
  forget(): void {
    this.#scopes = new Map()
    this.#names = undefined
    this.#dataVersion = undefined
    this.#slots.clear()
    this.#slotTable.forget()
    this.#events.forget()
    this.#clearWork()
  }

  scope(name: string): ScopeState | undefined {
    return this.#row(name)?.state
  }

  /** @throws CryptosError CRY_USAGE for a scope that was never opened */
  knownScope(name: string): ScopeState {
    const state = this.scope(name)
    if (!state) throw new CryptosError('CRY_USAGE', `the scope ${name} is not in the ledger: open it first`)
    return state
  }

  scopeNames(): readonly string[] {
    this.#names ??= this.#sql.scopeNames.all().map(row => String(row['scope']))
    return this.#names
  }

  /** Of the state that is durable now, for readers outside a transaction. */
  durableScopes(): readonly ScopeState[] {
    return this.#sql.allScopes.all().map(row => decodeState(String(row['state'])))
  }

  addScope(state: ScopeState): void {
    const id = this.#sql.addScope.run(state.scope, 1, encodeState(state)).lastInsertRowid
    this.#scopes.set(state.scope, { id, version: 1, state })
    this.#names = undefined
  }

  /** `isIdle`: only time went on, which needs no write of its own (asking again and again must not write again and again). */
  putScope(state: ScopeState, isIdle: boolean): void {
    const row = this.#row(state.scope)
    if (!row || row.state === state) return
    this.#scopes.set(state.scope, { ...row, state })
    if (!isIdle) this.#dirty.add(state.scope)
  }

  /** Slots were removed behind our back. */
  forgetSlots(): void {
    this.#slots.clear()
    this.#slotTable.forget()
  }

  /** Something besides scopes, slots and events was written that others may wait for. */
  touch(): void {
    this.#touched = true
  }

  /** A slot in flight is durable in its scope's reservations; the table gets it when it is settled or reaped. */
  slot(slot: string): SlotRow | undefined {
    const remembered = this.#slots.get(slot)
    if (remembered || this.#slots.has(slot)) return remembered
    const found = this.#inFlight(slot) ?? this.#slotTable.find(slot)
    this.#slots.set(slot, found)
    return found
  }

  #inFlight(slot: string): SlotRow | undefined {
    for (const name of this.scopeNames()) {
      for (const open of this.scope(name)?.open ?? [])
        if (open.slot === slot) return reservedSlot(name, slot, open)
    }
    return undefined
  }

  change(change: SlotChange): void {
    const slot = slotOfChange(change)
    const next = changedSlot(this.slot(slot), change)
    if (!next) return
    this.#slots.set(slot, next)
    if (next.state !== 'reserved') this.#dirtySlots.add(slot)
  }

  /** Writes what was changed. @throws CRY_STORE_BUSY when a version is not the one that was read */
  flush(): void {
    for (const name of this.#dirty) this.#writeScope(name)
    if (this.#dirtySlots.size > 0)
      this.#slotTable.write([...this.#dirtySlots].flatMap(slot => this.#slots.get(slot) ?? []))
    this.#events.flush()
  }

  /** Whether the transaction that was just committed changed anything. Forgets its work. */
  finish(): boolean {
    const changed = this.#touched || this.#events.hasNews || this.#dirtySlots.size > 0
    this.#clearWork()
    return changed
  }

  #clearWork(): void {
    this.#dirty.clear()
    this.#dirtySlots.clear()
    this.#events.finish()
    this.#slots.clear()
    this.#touched = false
  }

  #row(name: string): ScopeRow | undefined {
    const cached = this.#scopes.get(name)
    if (cached) return cached
    const found = this.#sql.scope.get(name)
    if (!found) return undefined
    const row = {
      id: Number(found['id']),
      version: Number(found['version']),
      state: decodeState(String(found['state'])),
    }
    this.#scopes.set(name, row)
    return row
  }

  #writeScope(name: string): void {
    const row = this.#scopes.get(name)
    if (!row) return
    const { changes } = this.#sql.writeScope.run(encodeState(row.state), row.id, row.version)
    if (changes !== 1)
      throw new CryptosError('CRY_STORE_BUSY', `the scope ${name} was changed by another process`)
    this.#scopes.set(name, { ...row, version: row.version + 1 })
  }
}

const statements = {
  dataVersion: 'PRAGMA data_version',
  scope: 'SELECT id, version, state FROM scopes WHERE scope = ?',
  scopeNames: 'SELECT scope FROM scopes ORDER BY id',
  allScopes: 'SELECT state FROM scopes ORDER BY id',
  addScope: 'INSERT INTO scopes(scope, version, state) VALUES (?, ?, ?)',
  writeScope: 'UPDATE scopes SET state = ?, version = version + 1 WHERE id = ? AND version = ?',
} as const

function prepareAll(db: SqlDb): Record<keyof typeof statements, Statement> {
  const entries = Object.entries(statements).map(([name, sql]) => [name, db.prepare(sql)])
  return Object.fromEntries(entries) as Record<keyof typeof statements, Statement>
}
