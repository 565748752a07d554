import type { EpochMicros } from '../core/brands.ts'
import type { Clock } from '../core/ports/clock.ts'
import { periodStart } from './calendar.ts'
import type { Period } from './calendar.ts'
import { ScopeTally } from './tally.ts'
import type { PeriodUse, ScopeLimits } from './tally.ts'
import type { SandboxProvider, ServedValue } from './types.ts'

/** One request as the judge saw it. */
export interface MeterEntry {
  /** 1, 2, 3 … */
  readonly sequence: number
  readonly at: EpochMicros
  readonly provider: SandboxProvider
  readonly endpoint: string
  /** `key:<first 16 hex of sha256 of provider/key>` or `ip:<address>`. */
  readonly scope: string
  /** Where the key was sent; a key in a query is a leak. */
  readonly keyIn: 'header' | 'query' | 'none'
  readonly status: number
  /** `0` or the provider's error code. */
  readonly code: string
  readonly credits: number
  /** `lost`: processed and charged, but no (whole) answer left. */
  readonly result: 'served' | 'refused' | 'failed' | 'lost'
  readonly faults: readonly string[]
  /** Empty unless result is `served` or `lost`. */
  readonly values: readonly ServedValue[]
  /** Whether the whole body was handed to the connection; null while it is under way. */
  delivered: boolean | null
}

export interface Violation {
  readonly at: EpochMicros
  readonly scope: string
  /** `1008`, `1010`, `EGeneral:Too many requests`, `over-month`, … */
  readonly what: string
  readonly detail: string
}

export interface ScopeUse {
  readonly scope: string
  readonly provider: SandboxProvider
  readonly current: readonly PeriodUse[]
  readonly days: readonly PeriodUse[]
  readonly months: readonly PeriodUse[]
  readonly busiestMinute: PeriodUse | null
  readonly foreignCredits: number
}

export interface MeterOptions {
  readonly clock: Clock
  /** Codes of answers that a client which keeps its limits never gets. */
  readonly refusals: ReadonlySet<string>
  /** Newest served values that are kept (an entry without any counts as one); 300,000 by default. The totals go on. */
  readonly keepServed?: number
}

const keptViolations = 1_000

const weightOf = (entry: MeterEntry | undefined): number => Math.max(1, entry?.values.length ?? 0)

/**
 * The judge: what every caller asked, was charged, was refused and was served. It counts by the provider's clock and knows nothing
 * of the collectors' ledger.
 */
export class Meter {
  readonly #clock: Clock
  readonly #keep: number
  readonly #refusals: ReadonlySet<string>
  readonly #scopes = new Map<string, ScopeTally>()
  #entries: MeterEntry[] = []
  #weight = 0
  #violations: Violation[] = []
  #violationCount = 0
  #counts: Record<string, number> = {
    requests: 0,
    served: 0,
    refused: 0,
    failed: 0,
    lost: 0,
    credits: 0,
    values: 0,
  }
  constructor(options: MeterOptions) {
    this.#clock = options.clock
    this.#keep = options.keepServed ?? 300_000
    this.#refusals = options.refusals
  }

  /** Refusals for a passed limit, plus every time a counter stood above its limit. Answers that a fault made up do not count. */
  get violations(): number {
    return this.#violationCount
  }

  /** The newest 1,000. */
  get violationList(): readonly Violation[] {
    return this.#violations
  }

  /** Entries that are still kept, oldest first. */
  entries(after = 0): readonly MeterEntry[] {
    const first = this.#entries[0]?.sequence ?? 1
    return this.#entries.slice(Math.max(0, after + 1 - first))
  }

  /** Makes a scope known, with the limits that it is judged by. */
  openScope(scope: string, provider: SandboxProvider, limits: ScopeLimits): void {
    if (!this.#scopes.has(scope)) this.#scopes.set(scope, new ScopeTally(provider, limits))
  }

  /** What the scope has used in the period that holds `at`. */
  use(scope: string, period: Period, at: EpochMicros): PeriodUse {
    const tally =
      this.#scopes.get(scope) ?? new ScopeTally('coinmarketcap', { minute: null, day: null, month: null })
    return tally.use(period, periodStart(period, at))
  }

  addCall(scope: string, at: EpochMicros): void {
    this.#scopes.get(scope)?.add(at, 1, 0)
  }

  /** Charges, and notes a violation where that passes the day's or the month's limit. */
  addCredits(scope: string, at: EpochMicros, credits: number, foreign = false): void {
    const tally = this.#scopes.get(scope)
    if (!tally || credits === 0) return
    tally.add(at, 0, credits)
    if (foreign) tally.foreignCredits += credits
    for (const period of ['day', 'month'] as const) {
      const { credits: used, limit } = this.use(scope, period, at)
      if (limit !== null && used > limit)
        this.#violate(at, scope, `over-${period}`, `${used} of ${limit} credits`)
    }
  }

  record(entry: Omit<MeterEntry, 'sequence' | 'delivered'>): MeterEntry {
    const counts = this.#counts
    const noted = { ...entry, sequence: (counts['requests'] ?? 0) + 1, delivered: null }
    for (const [name, by] of [
      ['requests', 1],
      [entry.result, 1],
      ['credits', entry.credits],
      ['values', entry.values.length],
    ] as const)
      counts[name] = (counts[name] ?? 0) + by
    this.#entries.push(noted)
    this.#weight += weightOf(noted)
    // Cut in large steps: shifting one entry a request would cost the square of the number kept.
    if (this.#weight > this.#keep * 1.25 + 8) this.#dropOldest()
    if (this.#refusals.has(entry.code) && !entry.faults.includes('rate-limited'))
      this.#violate(entry.at, entry.scope, entry.code, `${entry.provider} ${entry.endpoint}`)
    return noted
  }

  /** Those that were used. */
  scopes(): readonly ScopeUse[] {
    const now = this.#clock.now()
    const used = [...this.#scopes].filter(([, tally]) => tally.all('month').length > 0)
    return used.map(([scope, tally]) => ({
      scope,
      provider: tally.provider,
      current: (['minute', 'day', 'month'] as const).map(period =>
        tally.use(period, periodStart(period, now)),
      ),
      days: tally.all('day'),
      months: tally.all('month'),
      busiestMinute: tally.busiest && { ...tally.use('minute', tally.busiest.start), ...tally.busiest.tally },
      foreignCredits: tally.foreignCredits,
    }))
  }

  /** The whole state as plain JSON: what `GET /_sandbox/meter` answers. */
  summary(): MeterSummary {
    return {
      now: this.#clock.now(),
      counts: { ...this.#counts },
      violations: this.#violationCount,
      violationList: this.#violations.slice(-100),
      scopes: this.scopes(),
    }
  }

  #dropOldest(): void {
    let from = 0
    while (this.#weight > this.#keep && from < this.#entries.length - 1) {
      this.#weight -= weightOf(this.#entries[from])
      from += 1
    }
    this.#entries = this.#entries.slice(from)
  }

  #violate(at: EpochMicros, scope: string, what: string, detail: string): void {
    this.#violationCount += 1
    this.#violations.push({ at, scope, what, detail })
    if (this.#violations.length > keptViolations) this.#violations.shift()
  }
}

export interface MeterSummary {
  readonly now: EpochMicros
  /** requests, served, refused, failed, lost, credits, values. */
  readonly counts: Readonly<Record<string, number>>
  readonly violations: number
  readonly violationList: readonly Violation[]
  readonly scopes: readonly ScopeUse[]
}
