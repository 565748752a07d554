import type { Credits, EpochMicros, ProviderId } from '../brands.ts'
import type { QuotaEvent, Run } from '../records.ts'

/** Limits of one plan. `null` = the provider documents that there is no such limit (never "we do not know": an unknown plan has a floor). */
export interface PlanLimits {
  readonly plan: string
  readonly creditsPerMonth: number | null
  readonly creditsPerDay: number | null
  readonly callsPerMinute: number
}

/** What one key (or keyless host) may spend; opened once, then kept by the ledger. */
export interface ScopeSpec {
  /** `key:<first 16 hex of sha256 of provider/key>` or `ip:<host>`. The key itself is never in the ledger. */
  readonly scope: string
  readonly provider: ProviderId
  /** Floor: used until the provider has told its own. */
  readonly limits: PlanLimits
  /** Whether the provider tells its usage (`/v1/key/info`): then the ledger reconciles. */
  readonly hasUsage: boolean
  /** Whether nothing else uses the key: guard 0, else 2 %. */
  readonly owned: boolean
}

export interface ReserveRequest {
  readonly scope: string
  /** Made by the caller; the same id again is answered as the first time (a COMMIT whose answer was lost). */
  readonly reservationId: string
  /** The dearest cost that may apply. */
  readonly costMax: Credits
  /** `<provider>/<dataset>/<period start, ISO>/<page>.<name of what the page asks for>` (`slotOf`); null for calls that belong to no slot (usage, probes). */
  readonly slot: string | null
  /** Who spends, as `<name>/<run>`: what it costs is summed by the name. Absent = nobody is named. */
  readonly spender?: string
  readonly now: EpochMicros
}

export type DenialReason =
  | 'month-limit'
  | 'day-limit'
  | 'minute-limit'
  | 'frozen'
  /** The provider refused the address or the key until a time. */
  | 'paused'
  | 'clock-jump'
  | 'period-not-open'
  | 'outbox-full'

export type ReserveDecision =
  | {
      readonly kind: 'granted'
      readonly reservationId: string
      readonly attempt: number
      readonly startBy: EpochMicros
      readonly deadline: EpochMicros
    }
  | {
      readonly kind: 'denied'
      readonly why: DenialReason
      readonly reason: string
      readonly retryAt: EpochMicros | null
    }
  | { readonly kind: 'in-flight'; readonly retryAt: EpochMicros }
  | { readonly kind: 'answered'; readonly answerId: string }
  | { readonly kind: 'published' }
  | { readonly kind: 'exhausted'; readonly attempts: number }

/** What the call cost, by the provider's word. `unknown` keeps the full reserved cost. */
export type Charge = { readonly kind: 'known'; readonly credits: Credits } | { readonly kind: 'unknown' }

/** A raw answer on its way to the topics; kept with a retention. */
export interface RawAnswer {
  /** `answerId` = `<slot>#<attempt>`, deterministic. */
  readonly answerId: string
  readonly provider: ProviderId
  readonly dataset: string
  readonly slot: string
  readonly runId: string
  readonly receivedAt: EpochMicros
  readonly httpStatus: number
  readonly body: Uint8Array
  /** What the mapping needs besides the body (asked assets, currency, origin), as JSON text. */
  readonly context: string
}

export interface Settlement {
  readonly scope: string
  readonly reservationId: string
  readonly charge: Charge
  /** The provider's `Date` header, where it sent one: the ledger compares clocks. */
  readonly providerDate: EpochMicros | null
  readonly now: EpochMicros
  readonly why: string
  /** With it the slot becomes answered; the body is stored in the same transaction. */
  readonly answer?: RawAnswer
  /**
   * Nobody may call this scope before, by the provider's word, which `why` tells: at most 7 days ahead counts. The longest that was
   * told holds; `unfreeze` ends it.
   */
  readonly pauseUntil?: EpochMicros
}

/** Usage by the provider's own word (`/v1/key/info`). */
export interface ProviderUsage {
  readonly at: EpochMicros
  readonly limits: PlanLimits
  readonly monthUsed: number
  readonly dayUsed: number | null
  readonly monthResetsAt: EpochMicros | null
}

export interface WindowStatus {
  readonly window: 'minute' | 'day' | 'month'
  readonly limit: number | null
  readonly used: number
  readonly reserved: number
  /** null = no limit. */
  readonly left: number | null
  readonly resetsAt: EpochMicros
}

export interface ScopeStatus {
  readonly scope: string
  readonly provider: ProviderId
  readonly plan: string
  /** Why nothing is spent; null = spending goes on. */
  readonly frozen: string | null
  /** `frozen` is the clock's doing, not an operator's: it ends when the provider's usage is read, or a minute is over. */
  readonly jump: boolean
  /** Nobody calls this scope before, by the provider's own word; null = it may be called. */
  readonly pausedUntil: EpochMicros | null
  /** The provider's word with the time; null = no pause. */
  readonly pausedWhy: string | null
  readonly windows: readonly WindowStatus[]
  /** When the month's (or day's) credits end at the pace of the last hour; null = not before the reset. */
  readonly runsOutAt: EpochMicros | null
  readonly lastReconciledAt: EpochMicros | null
  /** When the provider was last asked for its usage, by whichever process, whether or not it answered. */
  readonly usageTriedAt: EpochMicros | null
  /** Provider's figure minus ours at the last reconcile. */
  readonly drift: number | null
}

/** What calls cost: their number, and credits as charged. */
export interface Spent {
  readonly calls: number
  readonly credits: number
}

/**
 * What one spender spent on one dataset of a scope, in the day and the month that the ledger has open: permits that named it and were
 * settled or reaped. The rest of a window's `used` is nobody's by name: calls without a spender, calls before the reset that may count
 * after it, and what a reconcile took over from the provider. That rest is negative where the provider billed less than was charged.
 */
export interface Spending {
  readonly scope: string
  /** The part before the first `/` of what the reservation named. */
  readonly spender: string
  /** `aside` = calls of no slot: usage, lists of assets. */
  readonly dataset: string
  readonly today: Spent
  readonly month: Spent
}

/** Newest slots of a dataset, by the start of their period. */
export interface LastSlots {
  readonly answered: EpochMicros | null
  readonly tried: EpochMicros | null
  /** Of the newest period that was tried: when the last of its pages failed that may be tried once more; null = none did. */
  readonly failedAt: EpochMicros | null
  /** The first that was tried in a period after `answered`; null = the newest that was tried was answered, or none was tried. */
  readonly failingSince: EpochMicros | null
}

/**
 * The quota ledger with its outbox, in one database. Implement it to make every answer durable before the promise resolves,
 * and to decide by `quota/policy.ts` alone. Calling a provider, waiting for a permit or mapping a body is not your job.
 * Every method throws CryptosError CRY_LEDGER_UNAVAILABLE, CRY_STORE_BUSY or CRY_DISK_FULL where the database fails: then nothing may be sent.
 */
export interface Ledger {
  /** Opens a scope, or updates its configured floor. Idempotent. */
  openScope(spec: ScopeSpec, now: EpochMicros): Promise<void>
  reserve(request: ReserveRequest): Promise<ReserveDecision>
  /** Rule 3. Settling twice, or after a reap, changes nothing more. */
  settle(settlement: Settlement): Promise<void>
  /** Rule 4: charges, then removes, reservations older than deadline + D. Returns how many. */
  reap(now: EpochMicros): Promise<number>
  /** Rule 5. */
  reconcile(scope: string, usage: ProviderUsage): Promise<void>
  /** Stops spending at once; `null` = everywhere. */
  freeze(scope: string | null, reason: string, now: EpochMicros): Promise<void>
  /** An operator's word: it also ends a pause and the wait after a jump of the clock. */
  unfreeze(scope: string | null, now: EpochMicros): Promise<void>
  status(now: EpochMicros): Promise<readonly ScopeStatus[]>
  /** By scope, spender and dataset, the largest of the month first. Kept for 62 days. */
  spending(now: EpochMicros): Promise<readonly Spending[]>
  /** Those of the slots that are answered: their answer waits to be published, or was. */
  answered(slots: readonly string[]): Promise<ReadonlyMap<string, 'answered' | 'published'>>
  /** What became of the newest slots of `<provider>/<dataset>`; those of a period that begins after `now` do not count. */
  lastSlots(dataset: string, now: EpochMicros): Promise<LastSlots>
  /** Newest first unless `after` (a sequence) is given: then oldest first, from there on. */
  events(options: {
    readonly limit: number
    readonly after?: number
    readonly scope?: string
  }): Promise<readonly QuotaEvent[]>
  addRun(run: Run): Promise<void>
  /** Newest first. */
  runs(limit: number): Promise<readonly Run[]>
  readonly outbox: Outbox
  close(): Promise<void>
}

export interface OutboxEntry extends RawAnswer {
  readonly credits: Credits
  readonly publishedAt: EpochMicros | null
  /** How often it was put back to be published again: what a corrected mapping makes of it replaces what was stored. */
  readonly revision: number
}

/** Some of the answers of an outbox; what is absent selects all. */
export interface AnswerSelection {
  readonly provider?: ProviderId
  /** Received in [receivedFrom, receivedTo). */
  readonly receivedFrom?: EpochMicros
  readonly receivedTo?: EpochMicros
}

/** An answer that the ledger took and does not have any more. */
export interface VanishedAnswer {
  readonly answerId: string
  /** When its slot was answered, or published. */
  readonly at: EpochMicros
}

/** The answers that wait for the topics. One publisher at a time, by a lease; entries come oldest first. */
export interface Outbox {
  /** True when this holder has (or renewed) the lease until `now + leaseMs`. */
  acquireLease(holder: string, now: EpochMicros, leaseMs: number): Promise<boolean>
  releaseLease(holder: string): Promise<void>
  pending(limit: number): Promise<readonly OutboxEntry[]>
  /** Marks entries and their slots as published. Idempotent. */
  markPublished(answerIds: readonly string[], now: EpochMicros): Promise<void>
  /** Entries received in [from, to), published or not, oldest first: for the audit and a rederivation. */
  between(from: EpochMicros, to: EpochMicros): AsyncIterable<OutboxEntry>
  /**
   * Answers of slots that were answered or published in [from, to), that are not here and that `prune` did not remove: for the
   * audit. There is none, unless somebody else removed it.
   */
  vanished(from: EpochMicros, to: EpochMicros): Promise<readonly VanishedAnswer[]>
  /**
   * Puts entries that were published within the last `ageMs` back to pending, each with a revision one higher (after a broker lost
   * its tail, or a mapping was corrected). Only those that `of` selects, all without it. Returns how many.
   */
  republish(ageMs: number, now: EpochMicros, of?: AnswerSelection): Promise<number>
  /** Removes published entries older than the retention. Returns how many. Never removes a pending one. */
  prune(olderThan: EpochMicros): Promise<number>
  stats(): Promise<{
    readonly pending: number
    readonly bytes: number
    readonly oldestPendingAt: EpochMicros | null
  }>
}
