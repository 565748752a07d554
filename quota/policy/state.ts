import type { EpochMicros, ProviderId } from '../../core/brands.ts'
import { CryptosError } from '../../core/errors.ts'
import type { PlanLimits, ScopeSpec } from '../../core/ports/ledger.ts'
import { MINUTE, SECOND } from '../../core/time.ts'
import type { Buckets } from './buckets.ts'
import type { Agreement, ClockStamp } from './clock.ts'
import type { Pause } from './pause.ts'
import { firstPeriod, type Period } from './periods.ts'

/** A permit whose call is not settled yet. */
export interface Reservation {
  readonly id: string
  readonly cost: number
  readonly slot: string | null
  readonly attempt: number
  readonly reservedAt: EpochMicros
  readonly startBy: EpochMicros
  readonly deadline: EpochMicros
  /** Who is charged, by name; absent = nobody was named. */
  readonly spender?: string
}

/**
 * All that the ledger knows of one scope: one JSON value, one row, replaced as a whole under its version. Every list is
 * bounded: `open` by the calls that can be in flight, the bucket lists by their window.
 */
export interface ScopeState {
  readonly v: 1
  readonly scope: string
  readonly provider: ProviderId
  readonly hasUsage: boolean
  readonly owned: boolean
  /** Configured; used until the provider has told its own. */
  readonly floor: PlanLimits
  /** By the provider's own word. */
  readonly learned: PlanLimits | null
  readonly month: Period
  readonly day: Period
  readonly open: readonly Reservation[]
  /** Calls by second, 60 s + D back. */
  readonly calls: Buckets
  /** Charges by half minute, lag + TTL back: what the provider's figure may not show yet. */
  readonly recent: Buckets
  /** Charges by five minutes, an hour back: the pace. */
  readonly pace: Buckets
  /** Where the clocks stood when the scope was last looked at, by whichever process of this host. */
  readonly stamp: ClockStamp | null
  /** The newest `Date` of the provider, where it agreed with our clock. */
  readonly agreed: Agreement | null
  /** Newest time in the log; it never goes back but by a re-anchoring after a clock jump. */
  readonly logAt: EpochMicros
  /** An operator's reason. */
  readonly frozen: string | null
  readonly jump: { readonly at: EpochMicros; readonly why: string } | null
  /** The provider's word that nobody may call before a time. */
  readonly pause: Pause | null
  /** Learned from calls that were charged more than the documented cost: reserve cost x factor. */
  readonly costFactor: number
  /** The same for calls that are documented as free. */
  readonly freeCost: number
  /** Calls in a row that were charged no more than is documented, since something was learned. */
  readonly asDocumented: number
  /** Last denial told, so that asking every second does not write every second. */
  readonly denied: string | null
  readonly reconciledAt: EpochMicros | null
  /** When the provider was last asked for its usage, whether or not it answered. */
  readonly usageTriedAt: EpochMicros | null
  readonly drift: number | null
}

export const callWidthMs = SECOND
export const recentWidthMs = 30 * SECOND
export const paceWidthMs = 5 * MINUTE

export const limitsOf = (state: ScopeState): PlanLimits => state.learned ?? state.floor

/** Credits that calls in flight may still cost. */
export const reservedOf = (state: ScopeState): number => state.open.reduce((sum, r) => sum + r.cost, 0)

export function newScope(spec: ScopeSpec, now: EpochMicros): ScopeState {
  return {
    v: 1,
    scope: spec.scope,
    provider: spec.provider,
    hasUsage: spec.hasUsage,
    owned: spec.owned,
    floor: spec.limits,
    learned: null,
    month: firstPeriod('month', now),
    day: firstPeriod('day', now),
    open: [],
    calls: [],
    recent: [],
    pace: [],
    ...later,
    logAt: now,
    frozen: null,
    jump: null,
    ...nothingLearned,
    denied: null,
    reconciledAt: null,
    drift: null,
  }
}

/** Every call costs what is documented. */
export const nothingLearned = { costFactor: 1, freeCost: 0, asDocumented: 0 } as const

/** Fields that files of former versions do not have. */
const later = { stamp: null, agreed: null, asDocumented: 0, usageTriedAt: null, pause: null } as const

/** Reservations as plain lists: most of the text of a busy scope is theirs. */
export const encodeState = (state: ScopeState): string =>
  JSON.stringify({ ...state, open: state.open.map(packed) })

/** The spender comes last and only where there is one: former versions read what they know. */
type Packed = readonly [string, number, string | null, number, EpochMicros, EpochMicros, EpochMicros, string?]

const packed = (r: Reservation): Packed => [
  r.id,
  r.cost,
  r.slot,
  r.attempt,
  r.reservedAt,
  r.startBy,
  r.deadline,
  ...(r.spender === undefined ? ([] as const) : ([r.spender] as const)),
]

const unpacked = ([
  id,
  cost,
  slot,
  attempt,
  reservedAt,
  startBy,
  deadline,
  spender,
]: Packed): Reservation => ({
  id,
  cost,
  slot,
  attempt,
  reservedAt,
  startBy,
  deadline,
  ...(spender === undefined ? {} : { spender }),
})

/** @throws CryptosError CRY_STORE_CORRUPT for text that this program did not write */
export function decodeState(text: string): ScopeState {
  const state = parse(text) as (Omit<ScopeState, 'open'> & { readonly open: readonly Packed[] }) | null
  if (state?.v !== 1 || !Array.isArray(state.open) || !Array.isArray(state.calls))
    throw new CryptosError('CRY_STORE_CORRUPT', 'a scope of the quota ledger is damaged: restore the file')
  return { ...later, ...state, open: state.open.map(unpacked) }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new CryptosError('CRY_STORE_CORRUPT', 'a scope of the quota ledger is damaged: restore the file', {
      cause,
    })
  }
}
