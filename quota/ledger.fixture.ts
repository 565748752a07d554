import { afterEach, beforeEach } from 'vitest'
import { Credits, type EpochMicros, ProviderId } from '../core/brands.ts'
import type { Clock } from '../core/ports/clock.ts'
import type {
  Ledger,
  PlanLimits,
  ProviderUsage,
  RawAnswer,
  ReserveRequest,
  ScopeSpec,
  Settlement,
  WindowStatus,
} from '../core/ports/ledger.ts'
import { parseIso } from '../core/time.ts'
import { VirtualClock } from '../core/virtual-clock.ts'
import type { QuotaPolicy } from './policy/policy.ts'

export interface LedgerContract {
  readonly name: string
  /** A ledger on the same store at each call within one test; `options` for the cap of the outbox and a planted policy. */
  readonly open: (clock: Clock, options?: LedgerTestOptions) => Promise<Ledger>
}

export interface LedgerTestOptions {
  readonly outboxMaxBytes?: number
  readonly policy?: QuotaPolicy
}

export const start = parseIso('2026-11-21T12:00:00Z')
export const scope = 'key:0123456789abcdef'
export const limits: PlanLimits = {
  plan: 'test',
  creditsPerMonth: 20,
  creditsPerDay: null,
  callsPerMinute: 10,
}
export const spec: ScopeSpec = {
  scope,
  provider: ProviderId('coinmarketcap'),
  limits,
  hasUsage: true,
  owned: true,
}
export const slotAt = (page: number): string => `coinmarketcap/quotes/2026-11-21T12:00:00.000Z/${page}`

export const answerOf = (slot: string, attempt: number, at: EpochMicros): RawAnswer => ({
  answerId: `${slot}#${attempt}`,
  provider: ProviderId('coinmarketcap'),
  dataset: 'quotes',
  slot,
  runId: 'run',
  receivedAt: at,
  httpStatus: 200,
  body: new TextEncoder().encode('{"data":1}'),
  context: '{}',
})

/** A ledger with one open scope and a clock of its own for each test, and the short words that the suites are written in. */
export class LedgerFixture {
  clock = new VirtualClock(start)
  #ledger: Ledger | undefined
  #count = 0

  open: LedgerContract['open'] = () => Promise.reject(new Error('the ledger is opened before each test'))

  /** Another process, or the same after a boot where another clock is given. */
  async restart(clock = this.clock): Promise<void> {
    await this.ledger.close()
    this.clock = clock
    this.ledger = await this.open(clock)
  }

  get ledger(): Ledger {
    if (!this.#ledger) throw new Error('the ledger is opened before each test')
    return this.#ledger
  }
  set ledger(ledger: Ledger) {
    this.#ledger = ledger
  }

  get lastId(): string {
    return `r${this.#count}`
  }

  ask(now: EpochMicros, more: Partial<ReserveRequest> = {}): ReserveRequest {
    this.#count += 1
    return { scope, reservationId: this.lastId, costMax: Credits(1), slot: null, now, ...more }
  }

  settle(reservationId: string, more: Partial<Settlement> = {}): Promise<void> {
    const now = this.clock.now()
    const charge = { kind: 'known', credits: Credits(1) } as const
    return this.ledger.settle({ scope, reservationId, charge, providerDate: now, now, why: 'test', ...more })
  }

  async month(): Promise<WindowStatus | undefined> {
    const scopes = await this.ledger.status(this.clock.now())
    return scopes.find(s => s.scope === scope)?.windows.find(w => w.window === 'month')
  }

  usage(monthUsed: number, more: Partial<ProviderUsage> = {}): ProviderUsage {
    const monthResetsAt = parseIso('2026-12-01T00:00:00Z')
    return { at: this.clock.now(), limits, monthUsed, dayUsed: null, monthResetsAt, ...more }
  }
}

export function useLedger(contract: LedgerContract): LedgerFixture {
  const fixture = new LedgerFixture()
  beforeEach(async () => {
    fixture.clock = new VirtualClock(start)
    fixture.open = contract.open
    fixture.ledger = await contract.open(fixture.clock)
    await fixture.ledger.openScope(spec, start)
  })
  afterEach(() => fixture.ledger.close())
  return fixture
}
