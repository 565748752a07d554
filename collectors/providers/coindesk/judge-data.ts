import type { EpochMicros } from '../../../core/brands.ts'
import { isCryptosError } from '../../../core/errors.ts'
import type { Outcome } from '../../../core/outcomes.ts'
import { HOUR, MINUTE } from '../../../core/time.ts'
import { objectOf, wholeOf } from '../../check.ts'
import { type Json, JsonArray, JsonObject, parseExact } from '../../json.ts'
import {
  chargeByStatus,
  excerpt,
  inMs,
  nextUtcDay,
  nextUtcMonth,
  outcomeOfStatus,
  refuse,
  retryAfter,
  unknownCharge,
} from '../../judging.ts'
import type { HttpAnswer, Verdict } from '../../provider.ts'

/** What a body says went wrong. */
interface Failure {
  readonly type: number | undefined
  /** The status that the body itself names. */
  readonly status: number | undefined
  readonly message: string
  /** Of the older API's rate limit. */
  readonly rateLimit?: JsonObject | undefined
}

const tooMany = 99

/**
 * Errors are `Err` of the Data API or, from the older part of the same service, `{"Response":"Error","Type":…}`: both may come with
 * HTTP 200. `Err` beside data is about what was left out. Nobody tells what a call cost, so its full cost stays. Never throws.
 */
export function judgeData(answer: HttpAnswer): Verdict {
  try {
    const failure = failureOf(objectOf(parseExact(answer.body), '$'))
    if (answer.status === 200 && failure === undefined) return { kind: 'answered', charge: unknownCharge }
    return refusalOf(failure, answer)
  } catch (error) {
    const what = isCryptosError(error) ? error.message : 'an unexpected shape'
    return refuse({
      outcome: outcomeOfStatus(answer.status),
      reason: `HTTP ${answer.status} without CoinDesk's envelope (${what})`,
      charge: chargeByStatus(answer.status),
      retryAt: retryAt(outcomeOfStatus(answer.status), undefined, answer),
    })
  }
}

function failureOf(body: JsonObject): Failure | undefined {
  if (body.get('Response') === 'Error') {
    const rateLimit = body.get('RateLimit')
    return {
      type: wholeOf(body.get('Type')),
      status: undefined,
      message: messageOf(body.get('Message')),
      rateLimit: rateLimit instanceof JsonObject ? rateLimit : undefined,
    }
  }
  const error = body.get('Err')
  if (error === undefined || error === null) return undefined
  if (!(error instanceof JsonObject)) return { type: undefined, status: undefined, message: messageOf(error) }
  if (error.entries().length === 0) return undefined
  const failure = {
    type: wholeOf(error.get('type')),
    status: wholeOf(error.get('http_status_code')),
    message: messageOf(error.get('message')),
  }
  return isPartial(body.get('Data'), failure) ? undefined : failure
}

const messageOf = (value: Json | undefined): string =>
  typeof value === 'string' ? excerpt(value) : 'no message'

/** Data with an `Err` that is about a parameter: what is there is good, what is not there will be missing by name. */
function isPartial(data: Json | undefined, { type, status }: Failure): boolean {
  const isFull =
    data instanceof JsonObject
      ? data.entries().length > 0
      : data instanceof JsonArray && data.items().length > 0
  return isFull && type !== tooMany && ![401, 403, 429].includes(status ?? 0)
}

function refusalOf(failure: Failure | undefined, answer: HttpAnswer): Verdict {
  const outcome = outcomeOf(failure, answer.status)
  return refuse({
    outcome,
    reason: `CoinDesk (HTTP ${answer.status}): ${failure?.message ?? 'no error in the body'}`,
    charge: chargeByStatus(answer.status),
    retryAt: retryAt(outcome, failure, answer),
  })
}

/** Type 99 is the rate limit, whatever the status; then the status, the body's own where HTTP says 200; then type and words. */
function outcomeOf(failure: Failure | undefined, httpStatus: number): Outcome {
  if (failure?.type === tooMany) return 'rate-limited'
  const status = httpStatus === 200 ? (failure?.status ?? 200) : httpStatus
  if (status !== 200) return outcomeOfStatus(status)
  if (/\b(api|auth) ?key\b/i.test(failure?.message ?? '')) return 'unauthorized'
  return failure?.type === 1 || failure?.type === 2 ? 'bad-request' : 'provider-error'
}

function retryAt(outcome: Outcome, failure: Failure | undefined, answer: HttpAnswer): EpochMicros | null {
  const told = retryAfter(answer)
  if (told !== null || outcome !== 'rate-limited') return told
  return windowEnd(failure?.rateLimit, answer.receivedAt)
}

/** End of the longest window whose calls are used up. Where none is named: a minute. Hours and minutes may roll, so a whole one. */
function windowEnd(rateLimit: JsonObject | undefined, at: EpochMicros): EpochMicros {
  const [made, most] = [rateLimit?.get('calls_made'), rateLimit?.get('max_calls')]
  const isUsedUp = (name: string): boolean => {
    if (!(made instanceof JsonObject && most instanceof JsonObject)) return false
    const [used, limit] = [wholeOf(made.get(name)), wholeOf(most.get(name))]
    return used !== undefined && limit !== undefined && used >= limit
  }
  if (isUsedUp('month')) return nextUtcMonth(at)
  if (isUsedUp('day')) return nextUtcDay(at)
  return inMs(at, isUsedUp('hour') ? HOUR : MINUTE)
}
