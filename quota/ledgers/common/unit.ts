import { CryptosError } from '../../../core/errors.ts'
import { changedSlot, reservedSlot, type SlotChange, type SlotRow, slotOfChange } from '../../policy/slots.ts'
import type { ScopeState } from '../../policy/state.ts'

/** A scope with the version of its row; 0 = it has none yet. */
export interface ScopeRow {
  readonly version: number
  readonly state: ScopeState
}

/** What lies in the database, as the transaction that runs sees it. */
export interface UnitStore {
  scope(name: string): ScopeRow | undefined
  scopeNames(): readonly string[]
  /** A slot that was settled or reaped. */
  slot(slot: string): SlotRow | undefined
}

/**
 * One transaction's view: scopes and slots are read once, changed in memory and written at the end by the store, each scope as one
 * version-checked update however many callers share the commit. Between transactions the scopes, with the slots in flight, stay in
 * memory for as long as no other process has written; slots are looked up anew in each.
 */
export class Unit {
  readonly #store: UnitStore
  #scopes = new Map<string, ScopeRow>()
  #names: readonly string[] | undefined
  readonly #dirty = new Set<string>()
  readonly #slots = new Map<string, SlotRow | undefined>()
  readonly #dirtySlots = new Set<string>()

  constructor(store: UnitStore) {
    this.#store = store
  }

  /** Another process wrote, or a transaction was rolled back. */
  forget(): void {
    this.#scopes = new Map()
    this.#names = undefined
    this.finish()
  }

  /** The transaction is over. */
  finish(): void {
    this.#dirty.clear()
    this.#dirtySlots.clear()
    this.#slots.clear()
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
    this.#names ??= this.#store.scopeNames()
    return this.#names
  }

  addScope(state: ScopeState): void {
    this.#names = [...this.scopeNames(), state.scope]
    this.#scopes.set(state.scope, { version: 0, state })
    this.#dirty.add(state.scope)
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
  }

  /** A slot in flight is durable in its scope's reservations; the table gets it when it is settled or reaped. */
  slot(slot: string): SlotRow | undefined {
    const remembered = this.#slots.get(slot)
    if (remembered || this.#slots.has(slot)) return remembered
    const found = this.#inFlight(slot) ?? this.#store.slot(slot)
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

  dirtyScopes(): readonly ScopeRow[] {
    return [...this.#dirty].flatMap(name => this.#scopes.get(name) ?? [])
  }

  dirtySlots(): readonly SlotRow[] {
    return [...this.#dirtySlots].flatMap(slot => this.#slots.get(slot) ?? [])
  }

  get hasDirtySlots(): boolean {
    return this.#dirtySlots.size > 0
  }

  /** A scope was written under its next version. */
  wrote(row: ScopeRow): void {
    this.#scopes.set(row.state.scope, { ...row, version: row.version + 1 })
  }

  #row(name: string): ScopeRow | undefined {
    const cached = this.#scopes.get(name)
    if (cached) return cached
    const found = this.#store.scope(name)
    if (found) this.#scopes.set(name, found)
    return found
  }
}
