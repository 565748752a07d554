import { randomUUID } from 'node:crypto'
import type { EpochMicros } from '../../core/brands.ts'
import type {
  LastSlots,
  Ledger,
  ProviderUsage,
  ReserveDecision,
  ReserveRequest,
  ScopeSpec,
  ScopeStatus,
  Settlement,
} from '../../core/ports/ledger.ts'
import type { Clock } from '../../core/ports/clock.ts'
import type { QuotaEvent, Run } from '../../core/records.ts'
import { announce } from '../../core/steps.ts'
import { migrate } from '../../host/migrations.ts'
import { SqlDb } from '../../host/sqlite.ts'
import type { Step } from '../policy/advance.ts'
import { agreementOf, agreesWithin, type ClockStamp, isNewBase, movedMs } from '../policy/clock.ts'
import { defaultConstants, type PolicyContext, type QuotaConstants } from '../policy/constants.ts'
import { monthEvent } from '../policy/events.ts'
import { type QuotaPolicy, quotaPolicy } from '../policy/policy.ts'
import { newScope, type ScopeState } from '../policy/state.ts'
import { ClockWatch } from './sqlite/clock-watch.ts'
import { CommitQueue } from './sqlite/commit-queue.ts'
import { SqliteOutbox } from './sqlite/outbox.ts'
import { Archive } from './sqlite/archive.ts'
import { EventLog } from './sqlite/event-log.ts'
import { Ringer } from './sqlite/ringer.ts'
import { ledgerSchema } from './sqlite/schema.ts'
import { Unit } from './sqlite/unit.ts'

export interface SqliteLedgerOptions {
  readonly file: string
  readonly clock: Clock
  readonly constants?: Partial<QuotaConstants>
  /** Bytes of unpublished answers from which on nothing more is spent. */
  readonly outboxMaxBytes?: number
  /** For tests that plant a bug; the product has one policy. */
  readonly policy?: QuotaPolicy
}

/** Pages of the write-ahead log (16 MB) after which a commit moves them to the file. */
const checkpointPages = 4_000

/** Callers of one commit come within less than this. */
const sameMomentMicros = 100_000

const defaultOutboxMaxBytes = 256 * 1024 * 1024

/**
 * The quota ledger and outbox of one host in one SQLite file (WAL, synchronous=FULL), rung by the bell file beside it after each
 * commit that changed anything.
 * @throws CryptosError CRY_STORE_UNWRITABLE, CRY_STORE_CORRUPT, CRY_STORE_NEWER, CRY_STORE_BUSY, CRY_DISK_FULL
 */
export async function openSqliteLedger(options: SqliteLedgerOptions): Promise<Ledger> {
  const db = new SqlDb(options.file, { synchronous: 'FULL' })
  try {
    await migrate(db, ledgerSchema)
    // A checkpoint writes each page once, however often it was changed, and waits for the disk twice: seldom is better.
    db.exec(`PRAGMA wal_autocheckpoint=${checkpointPages}`)
    const made = db.prepare(`INSERT OR IGNORE INTO meta(name, value) VALUES ('ledger', ?)`)
    const name = db.prepare(`SELECT value FROM meta WHERE name = 'ledger'`)
    if (!name.get()) await db.transaction(() => made.run(randomUUID()))
    return new SqliteLedger(db, String(name.get()?.['value']), options)
  } catch (error) {
    db.close()
    throw error
  }
}

class SqliteLedger implements Ledger {
  readonly outbox: SqliteOutbox
  readonly #db: SqlDb
  readonly #ringer: Ringer
  readonly #events: EventLog
  readonly #unit: Unit
  readonly #queue: CommitQueue
  readonly #archive: Archive
  readonly #watch: ClockWatch
  readonly #clock: Clock
  readonly #policy: QuotaPolicy
  readonly #constants: QuotaConstants
  readonly #outboxMaxBytes: number
  readonly #advanced = new Map<string, PolicyContext>()
  /** Of the transaction that runs. */
  #stamp: ClockStamp

  constructor(db: SqlDb, name: string, options: SqliteLedgerOptions) {
    this.#db = db
    this.#clock = options.clock
    this.#policy = options.policy ?? quotaPolicy
    this.#constants = { ...defaultConstants, ...options.constants }
    this.#outboxMaxBytes = options.outboxMaxBytes ?? defaultOutboxMaxBytes
    this.#ringer = new Ringer(options.file, options.clock)
    this.#watch = new ClockWatch(options.clock)
    this.#stamp = this.#watch.stamp()
    this.#events = new EventLog(db, name)
    this.#unit = new Unit(db, this.#events)
    this.#queue = new CommitQueue(db, {
      begin: () => this.#begin(),
      flush: () => this.#unit.flush(),
      committed: () => this.#committed(),
      rolledBack: () => this.#forget(),
      idle: () => this.#ringer.settle(),
    })
    this.outbox = new SqliteOutbox(db, this.#queue, this.#unit)
    this.#archive = new Archive(db)
  }

  openScope(spec: ScopeSpec, now: EpochMicros): Promise<void> {
    return this.#queue.submit(() => {
      const known = this.#unit.scope(spec.scope)
      if (known) return this.#apply(this.#policy.respecified(known, spec), now)
      const state = { ...newScope(spec, now), frozen: this.#archive.frozenEverywhere() }
      this.#unit.addScope(state)
      this.#events.tell(monthEvent(state, 'opened', `plan ${spec.limits.plan}`), state, now)
    })
  }

  async reserve(request: ReserveRequest): Promise<ReserveDecision> {
    const decision = await this.#queue.submit(() => this.#reserveNow(request))
    if (decision.kind === 'granted') announce('reserve', request.slot ?? '')
    return decision
  }

  #reserveNow(request: ReserveRequest): ReserveDecision {
    const context = this.#advance(request.scope, this.#timeOf(request.now))
    const input = {
      reservationId: request.reservationId,
      costMax: request.costMax,
      slot: request.slot,
      slotRow: request.slot === null ? undefined : this.#unit.slot(request.slot),
      outboxFull: this.outbox.pendingBytes() >= this.#outboxMaxBytes,
    }
    const step = this.#policy.reserve(this.#unit.knownScope(request.scope), input, context)
    this.#apply(step, context.now)
    return step.decision
  }

  async settle(settlement: Settlement): Promise<void> {
    await this.#queue.submit(() => this.#settleNow(settlement))
    if (settlement.answer) announce('settled', settlement.answer.slot)
  }

  #settleNow(settlement: Settlement): void {
    const { scope, providerDate, answer, charge, reservationId, why, pauseUntil } = settlement
    const now = this.#timeOf(settlement.now)
    if (providerDate !== null) this.#compare(scope, providerDate, settlement.now)
    const context = this.#advance(scope, now)
    const state = this.#unit.knownScope(scope)
    const reserved = state.open.find(r => r.id === reservationId)?.cost ?? 0
    const ref = answer ? { slot: answer.slot, answerId: answer.answerId } : null
    const input = { reservationId, charge, why, answer: ref, pauseUntil }
    this.#apply(this.#policy.settle(state, input, context), now)
    if (answer) this.outbox.add(answer, charge.kind === 'known' ? charge.credits : reserved)
  }

  reap(now: EpochMicros): Promise<number> {
    return this.#queue.submit(() => {
      let reaped = 0
      for (const scope of this.#unit.scopeNames()) {
        const before = this.#unit.knownScope(scope).open.length
        this.#advance(scope, this.#timeOf(now))
        reaped += before - this.#unit.knownScope(scope).open.length
      }
      return reaped
    })
  }

  reconcile(scope: string, usage: ProviderUsage): Promise<void> {
    return this.#queue.submit(() => {
      const context = this.#advance(scope, this.#timeOf(usage.at))
      this.#apply(this.#policy.reconcile(this.#unit.knownScope(scope), usage, context), context.now)
    })
  }

  freeze(scope: string | null, reason: string, now: EpochMicros): Promise<void> {
    return this.#queue.submit(() => {
      if (scope === null) this.#archive.freezeEverywhere(reason)
      for (const name of this.#named(scope))
        this.#apply(this.#policy.freeze(this.#unit.knownScope(name), reason), now)
    })
  }

  unfreeze(scope: string | null, now: EpochMicros): Promise<void> {
    return this.#queue.submit(() => {
      if (scope === null) this.#archive.freezeEverywhere(null)
      for (const name of this.#named(scope)) {
        this.#compare(name, now, now)
        const context = this.#advance(name, this.#timeOf(now))
        this.#apply(this.#policy.unfreeze(this.#unit.knownScope(name), context), now)
      }
    })
  }

  async status(now: EpochMicros): Promise<readonly ScopeStatus[]> {
    const stamp = this.#watch.stamp()
    return this.#unit.durableScopes().map(state => {
      const context = this.#context(state, now, stamp)
      return this.#policy.statusOf(this.#policy.advance(state, context).state, context)
    })
  }

  async lastSlots(dataset: string, now: EpochMicros): Promise<LastSlots> {
    const inFlight = this.#unit.durableScopes().flatMap(state => state.open.map(r => r.slot ?? ''))
    return this.#archive.lastSlots(dataset, { now, inFlight, maxAttempts: this.#constants.maxAttempts })
  }

  async events(options: { limit: number; after?: number; scope?: string }): Promise<readonly QuotaEvent[]> {
    return this.#events.read(options)
  }

  addRun(run: Run): Promise<void> {
    return this.#queue.submit(() => {
      this.#archive.addRun(run)
      this.#unit.touch()
    })
  }

  async runs(limit: number): Promise<readonly Run[]> {
    return this.#archive.runs(limit)
  }

  async close(): Promise<void> {
    await this.#queue.close()
    this.#ringer.close()
    this.#db.close()
  }

  /** The caller's time, or ours where the caller was paused on its way here. */
  #timeOf(now: EpochMicros): EpochMicros {
    const ours = this.#clock.now()
    return ours > now ? ours : now
  }

  /** To be looked at only: a jump or a boot is noted by the next caller that may write. */
  #context(state: ScopeState, now: EpochMicros, stamp: ClockStamp): PolicyContext {
    const driftMs = agreesWithin(state.agreed, stamp, this.#constants.clockAgreesMs)
    const agreement = driftMs === null ? { clockAgrees: false } : { clockAgrees: true, driftMs }
    return { now, jumpMs: 0, ...agreement, constants: this.#constants }
  }

  /** A provider (or an operator) said what time it is. Needs no write of its own: what brought the news has one. */
  #compare(scope: string, providerDate: EpochMicros, now: EpochMicros): void {
    const agreed = agreementOf(providerDate, now, this.#stamp, this.#constants.clockAgreesMs)
    this.#unit.putScope({ ...this.#unit.knownScope(scope), agreed }, true)
  }

  /** Brings a scope up to date, once for all callers of a commit (unless one of them brought news of the time). */
  #advance(scope: string, now: EpochMicros): PolicyContext {
    const state = this.#unit.knownScope(scope)
    const seen = this.#context(state, now, this.#stamp)
    const done = this.#advanced.get(scope)
    if (done && done.clockAgrees === seen.clockAgrees && Math.abs(now - done.now) < sameMomentMicros)
      return done
    const stamp = this.#stamp
    const jumpMs = movedMs(state.stamp, stamp)
    const context = { ...seen, jumpMs, stamp, isNewBase: isNewBase(state.stamp, stamp) }
    this.#apply(this.#policy.advance(state, context), now, true)
    this.#advanced.set(scope, context)
    return context
  }

  #apply(step: Step, at: EpochMicros, byTime = false): void {
    // The slots first: where they are in flight is read from the reservations that the new state may have closed.
    for (const change of step.slots) this.#unit.change(change)
    this.#unit.putScope(step.state, byTime && step.events.length === 0)
    for (const event of step.events) this.#events.tell(event, step.state, at)
  }

  #named(scope: string | null): readonly string[] {
    return scope === null ? this.#unit.scopeNames() : [scope]
  }

  #begin(): void {
    this.#advanced.clear()
    this.#stamp = this.#watch.stamp()
    if (this.#unit.begin()) this.outbox.forget()
  }

  #committed(): void {
    if (this.#unit.finish()) this.#ringer.owe()
  }

  #forget(): void {
    this.#unit.forget()
    this.outbox.forget()
  }
}
