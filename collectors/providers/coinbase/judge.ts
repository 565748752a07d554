import { isCryptosError } from '../../../core/errors.ts'
import { SECOND } from '../../../core/time.ts'
import { objectOf } from '../../check.ts'
import { type Json, JsonArray, JsonObject, parseExact } from '../../json.ts'
import { excerpt, free, inMs, outcomeOfStatus, refuse, retryAfter } from '../../judging.ts'
import type { HttpAnswer, Verdict } from '../../provider.ts'

/** The limit is 10 calls a second; after a 429 without Retry-After this is a wide berth. */
const pauseMs = 10 * SECOND

/** Errors are `{"message":"…"}` with their HTTP status. Calls cost no credits. Never throws. */
export const judge = (answer: HttpAnswer): Verdict =>
  judgeBy(answer, body => body instanceof JsonObject && body.get('message') === undefined)

/** The same of the list of products, which is an array. Never throws. */
export const judgeCatalog = (answer: HttpAnswer): Verdict =>
  judgeBy(answer, body => body instanceof JsonArray)

function judgeBy(answer: HttpAnswer, isData: (body: Json) => boolean): Verdict {
  try {
    const body = parseExact(answer.body)
    if (answer.status === 200 && isData(body)) return { kind: 'answered', charge: free }
    return refusalOf(objectOf(body, '$'), answer)
  } catch (error) {
    const what = isCryptosError(error) ? error.message : 'an unexpected shape'
    return refuse({
      outcome: outcomeOfStatus(answer.status),
      reason: `HTTP ${answer.status} without a JSON object (${what})`,
      charge: free,
      retryAt: retryAfter(answer),
    })
  }
}

function refusalOf(body: JsonObject, answer: HttpAnswer): Verdict {
  const message = body.get('message')
  const limited = answer.status === 429
  return refuse({
    outcome: answer.status === 200 ? 'provider-error' : outcomeOfStatus(answer.status),
    reason: `Coinbase (HTTP ${answer.status}): ${typeof message === 'string' ? excerpt(message) : 'no message'}`,
    charge: free,
    retryAt: retryAfter(answer) ?? (limited ? inMs(answer.receivedAt, pauseMs) : null),
  })
}
