import { Credits, type EpochMicros } from '../core/brands.ts'
import { isCryptosError } from '../core/errors.ts'
import type { Outcome } from '../core/outcomes.ts'
import type { Charge } from '../core/ports/ledger.ts'
import { addMs, DAY, fromEpochMs, MINUTE, SECOND, toEpochMs } from '../core/time.ts'
import { type Json, parseExact } from './json.ts'
import type { HttpAnswer, Verdict } from './provider.ts'

export const free: Charge = { kind: 'known', credits: Credits(0) }
export const unknownCharge: Charge = { kind: 'unknown' }

/** 4xx answers cost nothing; of a 5xx or an answer that makes no sense nobody knows, so the full cost stays. */
export const chargeByStatus = (status: number): Charge =>
  status >= 400 && status < 500 ? free : unknownCharge

export interface Refusal {
  readonly outcome: Outcome
  readonly reason: string
  readonly charge: Charge
  readonly retryAt?: EpochMicros | null
  readonly exhausted?: 'day' | 'month'
}

export const refuse = (refusal: Refusal): Verdict => ({ kind: 'refused', retryAt: null, ...refusal })

/** What a status means where the body says nothing better. */
export function outcomeOfStatus(status: number): Outcome {
  if (status === 401 || status === 402 || status === 403) return 'unauthorized'
  if (status === 429 || status === 418) return 'rate-limited'
  if (status === 408 || status >= 500) return 'provider-error'
  if (status >= 400) return 'bad-request'
  return 'transport-error'
}

const retryMostMs = 7 * DAY

/** `Retry-After` in seconds or as a date (RFC 9110 10.2.3), at most 7 days ahead (bans have up to 3); null without one. */
export function retryAfter(answer: HttpAnswer): EpochMicros | null {
  const text = answer.headers['retry-after']?.trim() ?? ''
  const now = toEpochMs(answer.receivedAt)
  const at = /^\d{1,9}$/.test(text) ? now + Number(text) * SECOND : Date.parse(text)
  return Number.isFinite(at) && at >= now ? fromEpochMs(Math.min(at, now + retryMostMs)) : null
}

/**
 * Until when nobody may call the scope again. Of an answer that was refused, the latest of: its own `Retry-After`, whatever the
 * refusal (a 503 and a page of HTML mean the whole source, RFC 9110 10.2.3); and the verdict's `retryAt` where the provider refused
 * the address or the key as such, be it told or a judge's guess. A guess with any other outcome is only advice. undefined = no pause.
 */
export function pauseOf(verdict: Verdict, answer: HttpAnswer): EpochMicros | undefined {
  if (verdict.kind === 'answered') return verdict.pauseUntil
  const isOfScope = verdict.outcome === 'rate-limited' || verdict.outcome === 'quota-exhausted'
  const told = retryAfter(answer)
  const judged = isOfScope ? verdict.retryAt : null
  return (told !== null && (judged === null || told > judged) ? told : judged) ?? undefined
}

/** The provider's `Date` header, for the comparison of clocks; null without a usable one. */
export function providerDate(answer: HttpAnswer): EpochMicros | null {
  const at = Date.parse(answer.headers['date'] ?? '')
  return Number.isFinite(at) && at > 0 ? fromEpochMs(at) : null
}

export const nextUtcMinute = (at: EpochMicros): EpochMicros =>
  fromEpochMs((Math.floor(toEpochMs(at) / MINUTE) + 1) * MINUTE)
export const nextUtcDay = (at: EpochMicros): EpochMicros =>
  fromEpochMs((Math.floor(toEpochMs(at) / DAY) + 1) * DAY)
export function nextUtcMonth(at: EpochMicros): EpochMicros {
  const date = new Date(toEpochMs(at))
  return fromEpochMs(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1))
}
export const inMs = addMs

/** One line of an answer for a reason: printable ASCII, at most 120 characters. */
export const excerpt = (text: string): string => {
  const line = text.replaceAll(/[^\x20-\x7e]+/g, ' ').trim()
  return line.length > 120 ? `${line.slice(0, 117)}...` : line
}

/** The JSON of an answer whose errors may be plain text; undefined = it is no JSON. */
export function parseOrNot(body: Uint8Array): Json | undefined {
  try {
    return parseExact(body)
  } catch (error) {
    if (isCryptosError(error)) return undefined
    throw error
  }
}
