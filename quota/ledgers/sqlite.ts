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
  Spending,
} from '../../core/ports/ledger.ts'
import type { Clock } from '../../core/ports/clock.ts'
import type { QuotaEvent, Run } from '../../core/records.ts'
import { announce } from '../../core/steps.ts'
import { migrate } from '../../host/migrations.ts'
import { SqlDb } from '../../host/sqlite.ts'
import { Bookkeeper, type Books, type PolicyOptions } from './common/bookkeeper.ts'
import { ClockWatch } from './common/clock-watch.ts'
import { Archive } from './sqlite/archive.ts'
import { CommitQueue } from './sqlite/commit-queue.ts'
import { EventLog } from './sqlite/event-log.ts'
import { SqliteOutbox } from './sqlite/outbox.ts'
import { Purse } from './sqlite/purse.ts'
import { Ringer } from './sqlite/ringer.ts'
import { ledgerSchema } from './sqlite/schema.ts'
import { SqliteUnit } from './sqlite/sqlite-unit.ts'

export interface SqliteLedgerOptions extends PolicyOptions {
  readonly file: string
  readonly clock: Clock
}

/** Pages of the write-ahead log (16 MB) after which a commit moves them to the file. */
const checkpointPages = 4_000

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
  readonly #store: SqliteUnit
  readonly #queue: CommitQueue
  readonly #archive: Archive
  readonly #purse: Purse
  readonly #watch: ClockWatch
  readonly #keeper: Bookkeeper

  constructor(db: SqlDb, name: string, options: SqliteLedgerOptions) {
    const { clock } = options
    this.#db = db
    this.#ringer = new Ringer(options.file, clock)
    this.#watch = new ClockWatch(clock)
    this.#events = new EventLog(db, name)
    this.#store = new SqliteUnit(db, this.#events)
    this.#archive = new Archive(db)
    this.#purse = new Purse(db)
    this.#queue = new CommitQueue(db, {
      begin: () => this.#begin(),
      flush: () => this.#store.flush(),
      committed: () => this.#committed(),
      rolledBack: () => this.#forget(),
      idle: () => this.#ringer.settle(),
    })
    this.outbox = new SqliteOutbox(db, this.#queue, this.#store)
    this.#keeper = new Bookkeeper(this.#books(clock), options)
  }

  #books(clock: Clock): Books {
    return {
      unit: this.#store.unit,
      timeOf: now => later(now, clock.now()),
      tell: (draft, state, at) => this.#events.tell(draft, state, at),
      pendingBytes: () => this.outbox.pendingBytes(),
      addAnswer: (answer, credits) => this.outbox.add(answer, credits),
      spend: spent => this.#purse.spend(spent),
      frozenEverywhere: () => this.#archive.frozenEverywhere(),
      freezeEverywhere: reason => this.#archive.freezeEverywhere(reason),
    }
  }

  openScope(spec: ScopeSpec, now: EpochMicros): Promise<void> {
    return this.#queue.submit(() => this.#keeper.openScope(spec, now))
  }

  async reserve(request: ReserveRequest): Promise<ReserveDecision> {
    const decision = await this.#queue.submit(() => this.#keeper.reserve(request))
    if (decision.kind === 'granted') announce('reserve', request.slot ?? '')
    return decision
  }

  async settle(settlement: Settlement): Promise<void> {
    await this.#queue.submit(() => this.#keeper.settle(settlement))
    if (settlement.answer) announce('settled', settlement.answer.slot)
  }

  reap(now: EpochMicros): Promise<number> {
    return this.#queue.submit(() => this.#keeper.reap(now))
  }

  reconcile(scope: string, usage: ProviderUsage): Promise<void> {
    return this.#queue.submit(() => this.#keeper.reconcile(scope, usage))
  }

  freeze(scope: string | null, reason: string, now: EpochMicros): Promise<void> {
    return this.#queue.submit(() => this.#keeper.freeze(scope, reason, now))
  }

  unfreeze(scope: string | null, now: EpochMicros): Promise<void> {
    return this.#queue.submit(() => this.#keeper.unfreeze(scope, now))
  }

  async status(now: EpochMicros): Promise<readonly ScopeStatus[]> {
    return this.#keeper.status(this.#store.durableScopes(), now, this.#watch.stamp())
  }

  async spending(now: EpochMicros): Promise<readonly Spending[]> {
    return this.#purse.spending(this.#keeper.advanced(this.#store.durableScopes(), now, this.#watch.stamp()))
  }

  async answered(slots: readonly string[]): Promise<ReadonlyMap<string, 'answered' | 'published'>> {
    return this.#archive.answered(slots)
  }

  async lastSlots(dataset: string, now: EpochMicros): Promise<LastSlots> {
    const inFlight = this.#store.durableScopes().flatMap(state => state.open.map(r => r.slot ?? ''))
    const { maxAttempts } = this.#keeper.constants
    return this.#archive.lastSlots(dataset, { now, inFlight, maxAttempts })
  }

  async events(options: { limit: number; after?: number; scope?: string }): Promise<readonly QuotaEvent[]> {
    return this.#events.read(options)
  }

  addRun(run: Run): Promise<void> {
    return this.#queue.submit(() => {
      this.#archive.addRun(run)
      this.#store.touch()
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

  #begin(): void {
    this.#keeper.begin(this.#watch.stamp())
    if (this.#store.begin()) this.outbox.forget()
  }

  #committed(): void {
    if (this.#store.finish()) this.#ringer.owe()
  }

  #forget(): void {
    this.#store.forget()
    this.outbox.forget()
  }
}

/** The caller's time, or ours where the caller was paused on its way here. */
const later = (now: EpochMicros, ours: EpochMicros): EpochMicros => (ours > now ? ours : now)
