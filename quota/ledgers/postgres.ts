import type { EpochMicros } from '../../core/brands.ts'
import { isCryptosError } from '../../core/errors.ts'
import type { Clock } from '../../core/ports/clock.ts'
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
import type { QuotaEvent, Run } from '../../core/records.ts'
import { announce } from '../../core/steps.ts'
import { systemClock } from '../../host/clock.ts'
import { defaultConstants } from '../policy/constants.ts'
import { decodeState, type ScopeState } from '../policy/state.ts'
import { Bookkeeper, type PolicyOptions } from './common/bookkeeper.ts'
import { isOwnMistake } from './common/job-queue.ts'
import { PostgresArchive } from './postgres/archive.ts'
import { Draining } from './postgres/draining.ts'
import {
  decisionForHost,
  type Moment,
  Moments,
  settlementForLedger,
  type TimeOf,
  toLedger,
} from './postgres/moment.ts'
import { PostgresOutbox } from './postgres/outbox.ts'
import { prepare } from './postgres/schema.ts'
import { type Row, Server, type ServerOptions } from './postgres/server.ts'
import { Spool } from './postgres/spool.ts'
import { PostgresStore } from './postgres/store.ts'
import { ledgerRow, readLook, serverTime, Transactions } from './postgres/transactions.ts'

export interface PostgresLedgerOptions extends ServerOptions, PolicyOptions {
  readonly clock: Clock
  /**
   * Whose time counts. `server` = that of PostgreSQL, the one clock of several hosts: a host whose own clock is wrong can not spend
   * more. `clock` = the given one, for a time that is not real. By default the first for the clock of the host, the second for a
   * sandbox's or a test's.
   */
  readonly time?: TimeOf
  /** Where settlements wait while the server can not be reached: a folder on a disk of this host, shared by its processes. */
  readonly spoolFolder: string
}

/**
 * The quota ledger and outbox of several hosts in one schema of a PostgreSQL server. `settle` is durable when it resolves, in the
 * server or in the local spool. Any other operation fails while the server can not be reached, so that nothing is spent.
 * @throws CryptosError CRY_CONFIG_INVALID, CRY_LEDGER_UNAVAILABLE, CRY_SERVER_REFUSED, CRY_SERVER_CONFIG, CRY_STORE_NEWER, CRY_DISK_FULL
 */
export async function openPostgresLedger(options: PostgresLedgerOptions): Promise<Ledger> {
  const server = new Server(options)
  try {
    const spool = new Spool(options.spoolFolder)
    await prepare(server)
    const [row] = await server.rows('SELECT name FROM ledger')
    return new PostgresLedger(server, spool, { ...options, name: String(row?.['name']) })
  } catch (error) {
    await server.close()
    throw error
  }
}

class PostgresLedger implements Ledger {
  readonly outbox: PostgresOutbox
  readonly #name: string
  readonly #server: Server
  readonly #spool: Spool
  readonly #moments: Moments
  readonly #keeper: Bookkeeper
  readonly #transactions: Transactions
  readonly #archive: PostgresArchive

  constructor(server: Server, spool: Spool, options: PostgresLedgerOptions & { readonly name: string }) {
    const { clock, time = clock === systemClock ? 'server' : 'clock' } = options
    const jumpMs = options.constants?.clockJumpMs ?? defaultConstants.clockJumpMs
    const store = new PostgresStore(() => draining.leftBytes())
    this.#name = options.name
    this.#server = server
    this.#spool = spool
    this.#moments = new Moments(clock, time, jumpMs)
    this.#keeper = new Bookkeeper(store, options)
    const parts = { server, store, moments: this.#moments, keeper: this.#keeper }
    const draining = new Draining(spool, this.#keeper, operations => this.#transactions.now(operations))
    this.#transactions = new Transactions({ ...parts, first: () => draining.drain() })
    const drained = (): Promise<void> => (spool.isEmpty ? Promise.resolve() : this.#submit(() => undefined))
    this.outbox = new PostgresOutbox({ server, store, transactions: this.#transactions, drained })
    this.#archive = new PostgresArchive(server)
  }

  openScope(spec: ScopeSpec, now: EpochMicros): Promise<void> {
    return this.#submit(moment => this.#keeper.openScope(spec, toLedger(moment, now)))
  }

  async reserve(request: ReserveRequest): Promise<ReserveDecision> {
    const slots = request.slot === null ? [] : [request.slot]
    const decision = await this.#submit(moment => {
      const now = toLedger(moment, request.now)
      return decisionForHost(moment, this.#keeper.reserve({ ...request, now }))
    }, slots)
    if (decision.kind === 'granted') announce('reserve', request.slot ?? '')
    return decision
  }

  async settle(settlement: Settlement): Promise<void> {
    const slots = settlement.answer ? [settlement.answer.slot] : []
    try {
      await this.#submit(moment => this.#keeper.settle(settlementForLedger(moment, settlement)), slots)
    } catch (error) {
      if (!isWorthKeeping(error)) throw error
      this.#spool.add(settlement)
    }
    if (settlement.answer) announce('settled', settlement.answer.slot)
  }

  reap(now: EpochMicros): Promise<number> {
    return this.#submit(moment => this.#keeper.reap(toLedger(moment, now)))
  }

  reconcile(scope: string, usage: ProviderUsage): Promise<void> {
    return this.#submit(moment => this.#keeper.reconcile(scope, { ...usage, at: toLedger(moment, usage.at) }))
  }

  freeze(scope: string | null, reason: string, now: EpochMicros): Promise<void> {
    return this.#submit(moment => this.#keeper.freeze(scope, reason, toLedger(moment, now)))
  }

  unfreeze(scope: string | null, now: EpochMicros): Promise<void> {
    return this.#submit(moment => this.#keeper.unfreeze(scope, toLedger(moment, now)))
  }

  async status(now: EpochMicros): Promise<readonly ScopeStatus[]> {
    const { states, moment } = await this.#look()
    return this.#keeper.status(states, toLedger(moment, now), moment.stamp)
  }

  async spending(now: EpochMicros): Promise<readonly Spending[]> {
    const { states, moment } = await this.#look()
    return this.#archive.spending(this.#keeper.advanced(states, toLedger(moment, now), moment.stamp))
  }

  answered(slots: readonly string[]): Promise<ReadonlyMap<string, 'answered' | 'published'>> {
    return this.#archive.answered(slots)
  }

  async lastSlots(dataset: string, now: EpochMicros): Promise<LastSlots> {
    const { states } = await this.#look()
    const inFlight = states.flatMap(state => state.open.map(r => r.slot ?? ''))
    return this.#archive.lastSlots(dataset, {
      now,
      inFlight,
      maxAttempts: this.#keeper.constants.maxAttempts,
    })
  }

  events(options: { limit: number; after?: number; scope?: string }): Promise<readonly QuotaEvent[]> {
    return this.#archive.events(this.#name, options)
  }

  addRun(run: Run): Promise<void> {
    return this.#transactions.submit(async ({ session, store }) => {
      store.touch()
      await this.#archive.addRun(session, run)
    })
  }

  runs(limit: number): Promise<readonly Run[]> {
    return this.#archive.runs(limit)
  }

  async close(): Promise<void> {
    await this.#transactions.close()
    await this.#server.close()
  }

  #submit<T>(run: (moment: Moment) => T, slots: readonly string[] = []): Promise<T> {
    return this.#transactions.submit(({ moment }) => run(moment), slots)
  }

  /** What is durable now, without a lock. */
  #look(): Promise<{ readonly states: readonly ScopeState[]; readonly moment: Moment }> {
    return this.#server.patiently(async session => {
      const asked = this.#moments.ask()
      const sets = await session.query(`${readLook}; SELECT state FROM scopes ORDER BY id`)
      const [ledgers, times, scopes] = sets as unknown as readonly { readonly rows: readonly Row[] }[]
      const ledger = ledgerRow(ledgers?.rows[0] ?? {})
      return {
        states: (scopes?.rows ?? []).map(row => decodeState(String(row['state']))),
        moment: this.#moments.answer(asked, serverTime(times?.rows[0] ?? {}, ledger.clock)),
      }
    })
  }
}

/** A caller's own mistake is told to it; whatever the server has, an answer that was paid for is kept. */
const isWorthKeeping = (error: unknown): boolean => !isOwnMistake(error) && isCryptosError(error)
