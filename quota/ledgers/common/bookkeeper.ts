import { EpochMicros } from '../../../core/brands.ts'
import type {
  ProviderUsage,
  RawAnswer,
  ReserveDecision,
  ReserveRequest,
  ScopeSpec,
  ScopeStatus,
  Settlement,
} from '../../../core/ports/ledger.ts'
import type { Step } from '../../policy/advance.ts'
import { agreementOf, agreesWithin, type ClockStamp, isNewBase, movedMs } from '../../policy/clock.ts'
import { defaultConstants, type PolicyContext, type QuotaConstants } from '../../policy/constants.ts'
import { type EventDraft, monthEvent } from '../../policy/events.ts'
import { type QuotaPolicy, quotaPolicy } from '../../policy/policy.ts'
import { type Spent, spenderName } from '../../policy/spending.ts'
import { newScope, type ScopeState } from '../../policy/state.ts'
import type { Unit } from './unit.ts'

export interface PolicyOptions {
  readonly constants?: Partial<QuotaConstants>
  /** Bytes of unpublished answers from which on nothing more is spent. */
  readonly outboxMaxBytes?: number
  /** For tests that plant a bug; the product has one policy. */
  readonly policy?: QuotaPolicy
}

/** The rest of a ledger's database, inside the transaction that runs. */
export interface Books {
  readonly unit: Unit
  /** The ledger's time for a caller's: never before it, where the caller was paused on its way here. */
  timeOf(now: EpochMicros): EpochMicros
  tell(draft: EventDraft, state: ScopeState, at: EpochMicros): void
  /** Bytes of the answers that are not published yet. */
  pendingBytes(): number
  /** Stores an answer once. */
  addAnswer(answer: RawAnswer, credits: number): void
  /** Adds a charge to what its spender spent. */
  spend(spent: Spent): void
  frozenEverywhere(): string | null
  freezeEverywhere(reason: string | null): void
}

/** Callers of one commit come within less than this. */
const sameMomentMicros = 100_000

const defaultOutboxMaxBytes = 256 * 1024 * 1024

/** What each operation of a ledger does inside a transaction, by the policy alone, whatever the database. */
export class Bookkeeper {
  readonly constants: QuotaConstants
  readonly #policy: QuotaPolicy
  readonly #outboxMaxBytes: number
  readonly #books: Books
  readonly #unit: Unit
  readonly #advanced = new Map<string, PolicyContext>()
  /** Of the transaction that runs. */
  #stamp: ClockStamp = { boot: '', monotonicMs: 0, wallAt: EpochMicros(0) }

  constructor(books: Books, options: PolicyOptions) {
    this.#books = books
    this.#unit = books.unit
    this.#policy = options.policy ?? quotaPolicy
    this.constants = { ...defaultConstants, ...options.constants }
    this.#outboxMaxBytes = options.outboxMaxBytes ?? defaultOutboxMaxBytes
  }

  /** A transaction begins; `stamp` = where the clocks stand. */
  begin(stamp: ClockStamp): void {
    this.#advanced.clear()
    this.#stamp = stamp
  }

  openScope(spec: ScopeSpec, now: EpochMicros): void {
    const known = this.#unit.scope(spec.scope)
    if (known) {
      this.#apply(this.#policy.respecified(known, spec), now)
      return
    }
    const state = { ...newScope(spec, now), frozen: this.#books.frozenEverywhere() }
    this.#unit.addScope(state)
    this.#books.tell(monthEvent(state, 'opened', `plan ${spec.limits.plan}`), state, now)
  }

  reserve(request: ReserveRequest): ReserveDecision {
    const context = this.#advance(request.scope, this.#books.timeOf(request.now))
    const input = {
      reservationId: request.reservationId,
      costMax: request.costMax,
      slot: request.slot,
      slotRow: request.slot === null ? undefined : this.#unit.slot(request.slot),
      outboxFull: this.#books.pendingBytes() >= this.#outboxMaxBytes,
      ...(request.spender === undefined ? {} : { spender: spenderName(request.spender) }),
    }
    const step = this.#policy.reserve(this.#unit.knownScope(request.scope), input, context)
    this.#apply(step, context.now)
    return step.decision
  }

  settle(settlement: Settlement): void {
    const { scope, providerDate, answer, charge, reservationId, why, pauseUntil } = settlement
    const now = this.#books.timeOf(settlement.now)
    if (providerDate !== null) this.#compare(scope, providerDate, settlement.now)
    const context = this.#advance(scope, now)
    const state = this.#unit.knownScope(scope)
    const reserved = state.open.find(r => r.id === reservationId)?.cost ?? 0
    const ref = answer ? { slot: answer.slot, answerId: answer.answerId } : null
    const input = { reservationId, charge, why, answer: ref, pauseUntil }
    this.#apply(this.#policy.settle(state, input, context), now)
    if (answer) this.#books.addAnswer(answer, charge.kind === 'known' ? charge.credits : reserved)
  }

  reap(now: EpochMicros): number {
    let reaped = 0
    for (const scope of this.#unit.scopeNames()) {
      const before = this.#unit.knownScope(scope).open.length
      this.#advance(scope, this.#books.timeOf(now))
      reaped += before - this.#unit.knownScope(scope).open.length
    }
    return reaped
  }

  reconcile(scope: string, usage: ProviderUsage): void {
    const context = this.#advance(scope, this.#books.timeOf(usage.at))
    this.#apply(this.#policy.reconcile(this.#unit.knownScope(scope), usage, context), context.now)
  }

  freeze(scope: string | null, reason: string, now: EpochMicros): void {
    if (scope === null) this.#books.freezeEverywhere(reason)
    for (const name of this.#named(scope))
      this.#apply(this.#policy.freeze(this.#unit.knownScope(name), reason), now)
  }

  unfreeze(scope: string | null, now: EpochMicros): void {
    if (scope === null) this.#books.freezeEverywhere(null)
    for (const name of this.#named(scope)) {
      this.#compare(name, now, now)
      const context = this.#advance(name, this.#books.timeOf(now))
      this.#apply(this.#policy.unfreeze(this.#unit.knownScope(name), context), now)
    }
  }

  /** To be looked at only: a jump or a boot is noted by the next caller that may write. */
  status(states: readonly ScopeState[], now: EpochMicros, stamp: ClockStamp): readonly ScopeStatus[] {
    return states.map(state => {
      const context = this.#context(state, now, stamp)
      return this.#policy.statusOf(this.#policy.advance(state, context).state, context)
    })
  }

  /** The states as time alone has made them by now: with the periods that are open. */
  advanced(states: readonly ScopeState[], now: EpochMicros, stamp: ClockStamp): readonly ScopeState[] {
    return states.map(state => this.#policy.advance(state, this.#context(state, now, stamp)).state)
  }

  #context(state: ScopeState, now: EpochMicros, stamp: ClockStamp): PolicyContext {
    const driftMs = agreesWithin(state.agreed, stamp, this.constants.clockAgreesMs)
    const agreement = driftMs === null ? { clockAgrees: false } : { clockAgrees: true, driftMs }
    return { now, jumpMs: 0, ...agreement, constants: this.constants }
  }

  /** A provider (or an operator) said what time it is. Needs no write of its own: what brought the news has one. */
  #compare(scope: string, providerDate: EpochMicros, now: EpochMicros): void {
    const agreed = agreementOf(providerDate, now, this.#stamp, this.constants.clockAgreesMs)
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
    for (const event of step.events) this.#books.tell(event, step.state, at)
    for (const spent of step.spent ?? []) this.#books.spend(spent)
  }

  #named(scope: string | null): readonly string[] {
    return scope === null ? this.#unit.scopeNames() : [scope]
  }
}
