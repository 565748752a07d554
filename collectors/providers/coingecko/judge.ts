import { Credits } from '../../../core/brands.ts'
import { isCryptosError } from '../../../core/errors.ts'
import type { Outcome } from '../../../core/outcomes.ts'
import { MINUTE } from '../../../core/time.ts'
import { wholeOf } from '../../check.ts'
import { type Json, JsonArray, JsonObject, parseExact } from '../../json.ts'
import {
  chargeByStatus,
  excerpt,
  inMs,
  nextUtcDay,
  outcomeOfStatus,
  refuse,
  retryAfter,
  unknownCharge,
} from '../../judging.ts'
import type { HttpAnswer, Verdict } from '../../provider.ts'

/** Each successful request is one credit (https://docs.coingecko.com/demo/reference/authentication). */
export const perCall = Credits(1)
/** Where a 429 does not say it; recorded ones said 7 to 119 seconds. */
const pauseMs = MINUTE

/** CoinGecko's own codes (https://docs.coingecko.com/docs/errors-and-rate-limits); 10012 from recorded answers. */
const outcomeByCode: Readonly<Record<number, Outcome>> = {
  429: 'rate-limited',
  1015: 'rate-limited',
  10002: 'unauthorized',
  10005: 'unauthorized',
  10010: 'unauthorized',
  10011: 'unauthorized',
  // The range, not the key: a shorter one is answered.
  10012: 'bad-request',
}

/** An error may come with HTTP 200. 4xx cost nothing. Never throws. */
export function judge(answer: HttpAnswer): Verdict {
  const said = saidBy(answer)
  if (answer.status === 200 && said.kind === 'data')
    return { kind: 'answered', charge: { kind: 'known', credits: perCall } }
  const outcome = outcomeOf(answer, said)
  return refuse({
    outcome,
    reason: `CoinGecko (HTTP ${answer.status}${said.code === undefined ? '' : `, ${said.code}`}): ${said.text}`,
    charge: answer.status === 200 ? unknownCharge : chargeByStatus(answer.status),
    retryAt: retryAfter(answer) ?? ownRetryAt(outcome, answer),
  })
}

interface Said {
  readonly kind: 'data' | 'error' | 'other'
  readonly code?: number | undefined
  readonly text: string
}

function saidBy({ body }: HttpAnswer): Said {
  try {
    const root = parseExact(body)
    if (root instanceof JsonArray) return { kind: 'data', text: 'no error in the body' }
    if (!(root instanceof JsonObject)) return { kind: 'other', text: 'no list or object' }
    return errorIn(root) ?? { kind: 'data', text: 'no error in the body' }
  } catch (error) {
    return { kind: 'other', text: isCryptosError(error) ? error.message : 'an unexpected shape' }
  }
}

/**
 * The shapes that errors have had: `{status: {error_code, error_message}}`, `{error: text}`, `{error_code, status: {error_message}}`,
 * `{error: {status: {…}}}`. There is a coin with the id `status`: without these members the object is a price.
 */
function errorIn(root: JsonObject): Said | undefined {
  const error = root.get('error')
  if (typeof error === 'string') return { kind: 'error', text: excerpt(error) }
  const status = memberOf(error, 'status') ?? root.get('status')
  const code = wholeOf(root.get('error_code')) ?? wholeOf(memberOf(status, 'error_code'))
  const message = memberOf(status, 'error_message')
  // `error_code: 0` would be no error.
  if ((code === undefined || code === 0) && typeof message !== 'string') return undefined
  return {
    kind: 'error',
    code,
    text: excerpt(typeof message === 'string' ? message : 'an error without a text'),
  }
}

const memberOf = (value: Json | undefined, name: string): Json | undefined =>
  value instanceof JsonObject ? value.get(name) : undefined

function outcomeOf({ status }: HttpAnswer, said: Said): Outcome {
  const byCode = outcomeByCode[said.code ?? 0]
  const outcome = byCode ?? (status === 200 ? outcomeOf200(said) : outcomeOfStatus(status))
  // The wording is not documented [U]; a spent month is told with the same 429.
  return outcome === 'rate-limited' && /month/i.test(said.text) ? 'quota-exhausted' : outcome
}

function outcomeOf200({ kind, code }: Said): Outcome {
  if (kind !== 'error') return 'transport-error'
  return code !== undefined && code >= 400 && code < 600 ? outcomeOfStatus(code) : 'provider-error'
}

/** A spent month is looked at again once a UTC day: that a refused call costs nothing is documented, when the month ends is not [U]. */
function ownRetryAt(outcome: Outcome, { receivedAt }: HttpAnswer) {
  if (outcome === 'quota-exhausted') return nextUtcDay(receivedAt)
  return outcome === 'rate-limited' ? inMs(receivedAt, pauseMs) : null
}
