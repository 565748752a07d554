import { CryptosError } from '../../../core/errors.ts'
import type { SqlDb, Statement } from '../../../host/sqlite.ts'
import type { SlotRow } from '../../policy/slots.ts'
import { decodeState, encodeState, type ScopeState } from '../../policy/state.ts'
import { type ScopeRow, Unit, type UnitStore } from '../common/unit.ts'
import type { EventLog } from './event-log.ts'
import { SlotTable } from './slot-table.ts'

/** Reads and writes the transaction's view (`unit`) in the ledger's file. Other processes' writes are told by PRAGMA data_version. */
export class SqliteUnit implements UnitStore {
  readonly unit = new Unit(this)
  readonly #sql: Record<keyof typeof statements, Statement>
  readonly #slotTable: SlotTable
  readonly #events: EventLog
  /** Row ids of the scopes that were read or written. */
  readonly #ids = new Map<string, number>()
  #touched = false
  #dataVersion: number | undefined

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
    this.unit.forget()
    this.#ids.clear()
    this.#dataVersion = undefined
    this.#slotTable.forget()
    this.#events.forget()
    this.#touched = false
  }

  scope(name: string): ScopeRow | undefined {
    const found = this.#sql.scope.get(name)
    if (!found) return undefined
    this.#ids.set(name, Number(found['id']))
    return { version: Number(found['version']), state: decodeState(String(found['state'])) }
  }

  scopeNames(): readonly string[] {
    return this.#sql.scopeNames.all().map(row => String(row['scope']))
  }

  slot(slot: string): SlotRow | undefined {
    return this.#slotTable.find(slot)
  }

  /** Of the state that is durable now, for readers outside a transaction. */
  durableScopes(): readonly ScopeState[] {
    return this.#sql.allScopes.all().map(row => decodeState(String(row['state'])))
  }

  /** Slots were removed behind our back. */
  forgetSlots(): void {
    this.unit.forgetSlots()
    this.#slotTable.forget()
  }

  /** Something besides scopes, slots and events was written that others may wait for. */
  touch(): void {
    this.#touched = true
  }

  /** Writes what was changed. @throws CRY_STORE_BUSY when a version is not the one that was read */
  flush(): void {
    for (const row of this.unit.dirtyScopes()) this.#writeScope(row)
    if (this.unit.hasDirtySlots) this.#slotTable.write(this.unit.dirtySlots())
    this.#events.flush()
  }

  /** Whether the transaction that was just committed changed anything. Forgets its work. */
  finish(): boolean {
    const changed = this.#touched || this.#events.hasNews || this.unit.hasDirtySlots
    this.unit.finish()
    this.#events.finish()
    this.#touched = false
    return changed
  }

  #writeScope(row: ScopeRow): void {
    const { version, state } = row
    if (version === 0)
      this.#ids.set(state.scope, this.#sql.addScope.run(state.scope, 1, encodeState(state)).lastInsertRowid)
    else {
      const { changes } = this.#sql.writeScope.run(
        encodeState(state),
        this.#ids.get(state.scope) ?? -1,
        version,
      )
      if (changes !== 1)
        throw new CryptosError('CRY_STORE_BUSY', `the scope ${state.scope} was changed by another process`)
    }
    this.unit.wrote(row)
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
