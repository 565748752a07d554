import type { EpochMicros } from '../core/brands.ts'
import type { ScopeStatus, WindowStatus } from '../core/ports/ledger.ts'
import { addMs, DAY, MINUTE, SECOND, toIso } from '../core/time.ts'
import { backOffMs } from './back-off.ts'
import { periodStartOf } from './pages.ts'
import { defaultConstants, minuteWindowMs } from './policy/constants.ts'

export interface PlanInput {
  readonly now: EpochMicros
  /** How often the provider's data change: the grid of the slots. */
  readonly refreshMs: number
  /** Wanted time between two sweeps, where the quota allows it. */
  readonly intervalMs: number
  /** Period starts of the newest slot that was answered and that was tried, from `Ledger.lastSlots`. */
  readonly lastAnswered: EpochMicros | null
  readonly lastTried: EpochMicros | null
  /** When a page of the period `lastTried` failed that may be tried once more; null or absent = none did. */
  readonly failedAt?: EpochMicros | null
  /** Period start of the first slot that was tried after `lastAnswered`; null or absent = the newest try is the first. */
  readonly failingSince?: EpochMicros | null
  /** undefined = the scope is not opened yet: only the grid counts. */
  readonly status: ScopeStatus | undefined
  /** Calls of one sweep over all assets. */
  readonly pages: number
  /** Credits of one sweep. */
  readonly costPerSweep: number
  /** Share of a period's credits kept for people and alerts until the period's last 24 hours. */
  readonly reserveShare: number
  /** Makes the jitter and the rounding of this dataset differ from another's; the same seed gives the same plan. */
  readonly seed?: string
}

export type Plan =
  | { readonly kind: 'due'; readonly periodStart: EpochMicros }
  | {
      readonly kind: 'not-due'
      readonly nextAt: EpochMicros
      readonly reason: string
      /** The wait is for a failure, not for the pace. */
      readonly isAfterFailure?: true
      /** The wait is for a period whose credits are not used up. */
      readonly isUsedUp?: true
    }

const afterRefreshMs = 3 * SECOND
const maxJitterMs = 5 * SECOND
/** The longest wait for a refresh that is begun. */
export const latestOffsetMs = afterRefreshMs + maxJitterMs
const retryAfterMs = MINUTE
const spendDownMs = DAY

/**
 * Due or not (rule 9): even pacing of what is left over the time that is left, on the provider's refresh grid, a few seconds
 * after its refresh. Whether a call may be made is the ledger's word alone; the planner only asks no more than it can give.
 */
export function planNext(input: PlanInput): Plan {
  const periodStart = periodStartOf(input.now, input.refreshMs)
  const pace = paceOf(input)
  if (pace.kind === 'used-up')
    return { kind: 'not-due', nextAt: pace.until, reason: pace.reason, isUsedUp: true }
  // Nobody has asked yet: an answer of the last period is better than none.
  if (input.lastAnswered === null && input.lastTried === null) return { kind: 'due', periodStart }
  const earliest = earliestSlot(input, pace.intervalMs)
  const slotStart = earliest.at > periodStart ? roundUp(earliest.at, input.refreshMs) : periodStart
  const nextAt = addMs(slotStart, offsetMs(input, slotStart))
  if (nextAt <= input.now) return { kind: 'due', periodStart }
  return (
    secondTry(input, nextAt) ?? {
      kind: 'not-due',
      nextAt,
      reason: `${earliest.why}; next at ${toIso(nextAt)}`,
      ...(earliest.isAfterFailure ? { isAfterFailure: true } : {}),
    }
  )
}

/**
 * Pages that failed are asked once more (rule 8) where the next sweep is not nearer; the others of the sweep are not paid again. Not
 * in an outage: where an earlier sweep had no answer either, the next sweep is the second try.
 */
function secondTry(input: PlanInput, nextSweepAt: EpochMicros): Plan | undefined {
  const { failedAt, lastTried, now } = input
  if (lastTried === null || failedAt === null || failedAt === undefined) return undefined
  if (isFailing(input) && outageMs(input, lastTried) > 0) return undefined
  const nextAt = addMs(failedAt, retryAfterMs)
  if (nextAt >= nextSweepAt) return undefined
  if (nextAt <= now) return { kind: 'due', periodStart: lastTried }
  const reason = `a page failed: its second try is at ${toIso(nextAt)}`
  return { kind: 'not-due', nextAt, reason, ...(isFailing(input) ? { isAfterFailure: true } : {}) }
}

/** Start of the first slot that may be asked for. */
function earliestSlot(
  input: PlanInput,
  intervalMs: number,
): { at: number; why: string; isAfterFailure?: true } {
  const { lastAnswered, lastTried, refreshMs } = input
  if (lastTried !== null && isFailing(input)) {
    const ageMs = outageMs(input, lastTried)
    const jitter = hashOf(`${input.seed ?? ''}!${lastTried}`)
    const waitMs = backOffMs({ ageMs, intervalMs, jitter })
    const since = ageMs > 0 ? `no answer since ${toIso(addMs(lastTried, -ageMs))}` : 'the last try failed'
    const why = `${since}: wait ${Math.round(waitMs / SECOND)} s`
    return { at: addMs(lastTried, waitMs), why, isAfterFailure: true }
  }
  if (lastAnswered === null) return { at: 0, why: 'nothing was answered yet' }
  const steps = roundBySeed(intervalMs / refreshMs, `${input.seed ?? ''}|${lastAnswered}`)
  const why = `one sweep every ${Math.round(intervalMs / SECOND)} s is what the quota and the settings give`
  return { at: addMs(lastAnswered, steps * refreshMs), why }
}

const isFailing = ({ lastAnswered, lastTried }: PlanInput): boolean =>
  lastTried !== null && (lastAnswered === null || lastTried > lastAnswered)

/** How long tries have failed by now. */
const outageMs = ({ failingSince }: PlanInput, lastTried: EpochMicros): number =>
  Math.max(0, lastTried - (failingSince ?? lastTried)) / 1_000

type Pace =
  | { readonly kind: 'every'; readonly intervalMs: number }
  | { readonly kind: 'used-up'; readonly until: EpochMicros; readonly reason: string }

/** The widest of: the wanted interval (on the grid), the minute's share, and what each credit window leaves. */
function paceOf(input: PlanInput): Pace {
  const wanted = Math.ceil(input.intervalMs / input.refreshMs) * input.refreshMs
  let intervalMs = Math.max(wanted, input.refreshMs)
  for (const window of input.status?.windows ?? []) {
    const pace = windowPace(window, input)
    if (pace.kind === 'used-up') return pace
    intervalMs = Math.max(intervalMs, pace.intervalMs)
  }
  return { kind: 'every', intervalMs }
}

/** next = (T - t) / max(1, (C_left - R(t)) / c) */
function windowPace(window: WindowStatus, input: PlanInput): Pace {
  if (window.limit === null || window.left === null) return { kind: 'every', intervalMs: 0 }
  if (window.window === 'minute')
    return { kind: 'every', intervalMs: minuteInterval(input.pages, window.limit) }
  if (input.costPerSweep === 0) return { kind: 'every', intervalMs: 0 }
  const leftMs = (window.resetsAt - input.now) / 1_000
  if (leftMs <= 0) return { kind: 'every', intervalMs: 0 }
  const reserve = leftMs <= spendDownMs ? 0 : window.limit * input.reserveShare
  const sweeps = (window.left - reserve) / input.costPerSweep
  if (sweeps >= 1) return { kind: 'every', intervalMs: leftMs / sweeps }
  const spendDownAt = addMs(window.resetsAt, -spendDownMs)
  const hasReserve = reserve > 0 && window.left >= input.costPerSweep && window.window === 'month'
  const until = hasReserve ? spendDownAt : addMs(window.resetsAt, defaultConstants.periodGraceMs)
  return {
    kind: 'used-up',
    until,
    reason: `the ${window.window}'s credits are used: ${window.left} are left`,
  }
}

/** Shortest time between two sweeps that the sliding minute never refuses. One second more for its buckets. */
export const minuteInterval = (pages: number, callsPerMinute: number): number =>
  Math.ceil(pages / Math.max(1, callsPerMinute)) *
  (minuteWindowMs(defaultConstants) + SECOND) *
  shareOf(pages, callsPerMinute)

/** Fewer pages than calls a minute: several sweeps share one window. */
const shareOf = (pages: number, callsPerMinute: number): number =>
  pages >= callsPerMinute ? 1 : 1 / Math.max(1, Math.floor(callsPerMinute / pages))

/** A few seconds after the refresh, and not at the same moment as all others; never past a half of the slot. */
function offsetMs(input: PlanInput, slotStart: EpochMicros): number {
  const room = input.refreshMs / 4
  const jitter = hashOf(`${input.seed ?? ''}@${slotStart}`) * Math.min(maxJitterMs, room)
  return Math.floor(Math.min(afterRefreshMs, room) + jitter)
}

const roundUp = (at: number, refreshMs: number): EpochMicros =>
  periodStartOf((at + refreshMs * 1_000 - 1) as EpochMicros, refreshMs)

/** 2.98 slots: 2 in two of a hundred cases, else 3, so that the mean keeps the pace and no credit is rounded away. */
const roundBySeed = (steps: number, seed: string): number =>
  Math.max(1, Math.floor(steps + 1 - 1e-9 - hashOf(seed)))

/** FNV-1a, to [0, 1). */
function hashOf(text: string): number {
  let hash = 2_166_136_261
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 16_777_619)
  hash = Math.imul(hash ^ (hash >>> 15), 2_246_822_507)
  return ((hash ^ (hash >>> 13)) >>> 0) / 4_294_967_296
}
