import { isCryptosError } from '../../../core/errors.ts'
import { MINUTE } from '../../../core/time.ts'
import { objectOf } from '../../check.ts'
import { parseExact } from '../../json.ts'
import { excerpt, free, inMs, outcomeOfStatus, refuse, retryAfter } from '../../judging.ts'
import type { HttpAnswer, Verdict } from '../../provider.ts'

/** No limit was ever published, and prices changed once a minute. */
const pauseMs = MINUTE

/** Errors of the index are one line of text with 404 (what was asked is wrong) or 500. Calls cost nothing. Never throws. */
export function judgeBpi(answer: HttpAnswer): Verdict {
  const { status } = answer
  const outcome = outcomeOfStatus(status)
  const own = status === 429 ? inMs(answer.receivedAt, pauseMs) : null
  const retryAt = retryAfter(answer) ?? own
  if (status !== 200)
    return refuse({
      outcome,
      reason: `CoinDesk BPI (HTTP ${status}): ${lineOf(answer)}`,
      charge: free,
      retryAt,
    })
  try {
    objectOf(parseExact(answer.body), '$')
    return { kind: 'answered', charge: free }
  } catch (error) {
    const what = isCryptosError(error) ? error.message : 'an unexpected shape'
    return refuse({
      outcome,
      reason: `CoinDesk BPI (HTTP 200) without a JSON object (${what}): ${lineOf(answer)}`,
      charge: free,
      retryAt,
    })
  }
}

const lineOf = ({ body }: HttpAnswer): string =>
  excerpt(new TextDecoder().decode(body.subarray(0, 400))) || 'no text'
