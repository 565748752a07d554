import { MINUTE } from '../../../core/time.ts'
import { JsonObject } from '../../json.ts'
import { excerpt, free, inMs, outcomeOfStatus, parseOrNot, refuse, retryAfter } from '../../judging.ts'
import type { HttpAnswer, Verdict } from '../../provider.ts'

/** The limit is not published and a 429 names no time: ten minutes are longer than any minute's window. */
const pauseMs = 10 * MINUTE
const utf8 = new TextDecoder()

/** Errors are text or `{"error":"…"}` with their HTTP status. Nothing is billed. Never throws. */
export function judge(answer: HttpAnswer): Verdict {
  const body = parseOrNot(answer.body)
  const error = body instanceof JsonObject ? (body.get('error') ?? body.get('message')) : undefined
  if (answer.status === 200 && body instanceof JsonObject && error === undefined)
    return { kind: 'answered', charge: free }
  const text = typeof error === 'string' ? error : utf8.decode(answer.body.subarray(0, 1_000))
  const told = answer.status === 200 && error !== undefined
  const pause = answer.status === 429 ? inMs(answer.receivedAt, pauseMs) : null
  return refuse({
    outcome: told ? 'provider-error' : outcomeOfStatus(answer.status),
    reason: `mempool.space (HTTP ${answer.status}): ${excerpt(text) || 'no text'}`,
    charge: free,
    retryAt: retryAfter(answer) ?? pause,
  })
}
