import { Credits, type EpochMicros } from '../../../core/brands.ts'
import { isCryptosError } from '../../../core/errors.ts'
import type { Outcome } from '../../../core/outcomes.ts'
import type { Charge } from '../../../core/ports/ledger.ts'
import { MINUTE } from '../../../core/time.ts'
import { objectOf, wholeOf } from '../../check.ts'
import { parseExact } from '../../json.ts'
import {
  chargeByStatus,
  excerpt,
  inMs,
  nextUtcMinute,
  outcomeOfStatus,
  refuse,
  retryAfter,
  unknownCharge,
} from '../../judging.ts'
import type { HttpAnswer, Verdict } from '../../provider.ts'

/** The part of the envelope that says how the call went. */
interface Status {
  /** 0 = good. */
  readonly code: number
  readonly message: string
  /** undefined where the body does not tell. */
  readonly credits: number | undefined
}

/**
 * Reads `status` of either envelope: `error_code` as a number (v1, v2, the gateway) or as digits in a string (v3, simple/price).
 * @throws CryptosError CRY_PROVIDER_PAYLOAD for a body that is not JSON or has no `status`
 */
function readStatus(body: Uint8Array): Status {
  const status = objectOf(objectOf(parseExact(body), '$').get('status'), '$.status')
  const code = wholeOf(status.get('error_code'))
  const message = status.get('error_message')
  return {
    code: code ?? -1,
    message: typeof message === 'string' ? excerpt(message) : '',
    credits: wholeOf(status.get('credit_count')),
  }
}

/** Error codes by the provider's table (see NOTES.md); any other is told by the HTTP status. */
const outcomeByCode: Readonly<Record<number, Outcome>> = {
  400: 'bad-request',
  500: 'provider-error',
  1001: 'unauthorized',
  1002: 'unauthorized',
  1003: 'unauthorized',
  1004: 'unauthorized',
  1005: 'unauthorized',
  1006: 'unauthorized',
  1007: 'unauthorized',
  1008: 'rate-limited',
  1009: 'quota-exhausted',
  1010: 'quota-exhausted',
  1011: 'rate-limited',
  4001: 'bad-request',
  4002: 'bad-request',
}

/** How long an address that was too fast stays away; the provider names no time for 1011. */
const addressPauseMs = 5 * MINUTE

/** When another try makes sense: the code decides, `Retry-After` is honoured where it is sent and later. */
function retryAt(code: number, answer: HttpAnswer): EpochMicros | null {
  const told = retryAfter(answer)
  const own = ownRetryAt(code, answer.receivedAt)
  return told !== null && (own === null || told > own) ? told : own
}

/** Which credits are used up. When they come back key/info tells, and the ledger knows it: a paid plan's month is no calendar month. */
const exhaustedBy: Readonly<Record<number, { readonly exhausted: 'day' | 'month' }>> = {
  1009: { exhausted: 'day' },
  1010: { exhausted: 'month' },
}

function ownRetryAt(code: number, at: EpochMicros): EpochMicros | null {
  if (code === 1008) return nextUtcMinute(at)
  return code === 1011 ? inMs(at, addressPauseMs) : null
}

/** Only HTTP 200 with code 0 is an answer: a 200 with another code carries no valid data. Never throws. */
export function judge(answer: HttpAnswer): Verdict {
  try {
    const status = readStatus(answer.body)
    if (answer.status === 200 && status.code === 0) return { kind: 'answered', charge: chargeOf(status) }
    return refusalOf(status, answer)
  } catch (error) {
    const what = isCryptosError(error) ? error.message : 'an unexpected shape'
    return refuse({
      outcome: outcomeOfStatus(answer.status),
      reason: `HTTP ${answer.status} without CoinMarketCap's status (${what})`,
      charge: chargeByStatus(answer.status),
      retryAt: retryAfter(answer),
    })
  }
}

const chargeOf = (status: Status): Charge =>
  status.credits === undefined ? unknownCharge : { kind: 'known', credits: Credits(status.credits) }

function refusalOf(status: Status, answer: HttpAnswer): Verdict {
  const http = answer.status
  return refuse({
    outcome: outcomeByCode[status.code] ?? (http === 200 ? 'provider-error' : outcomeOfStatus(http)),
    reason: `CoinMarketCap error ${status.code} (HTTP ${http}): ${status.message || 'no message'}`,
    charge: http >= 500 ? unknownCharge : http === 200 ? chargeOf(status) : chargeByStatus(http),
    retryAt: retryAt(status.code, answer),
    ...exhaustedBy[status.code],
  })
}
