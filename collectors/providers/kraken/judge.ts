import { isCryptosError } from '../../../core/errors.ts'
import type { Outcome } from '../../../core/outcomes.ts'
import { MINUTE, SECOND } from '../../../core/time.ts'
import { arrayOf, objectOf } from '../../check.ts'
import { type Json, parseExact } from '../../json.ts'
import { excerpt, free, inMs, outcomeOfStatus, refuse, retryAfter } from '../../judging.ts'
import type { HttpAnswer, Verdict } from '../../provider.ts'

/** Errors by the text that begins them (docs: https://docs.kraken.com/api/docs/guides/spot-errors); pauses are ours. */
const kinds: readonly { readonly starts: string; readonly outcome: Outcome; readonly pauseMs?: number }[] = [
  { starts: 'EGeneral:Too many requests', outcome: 'rate-limited', pauseMs: 15 * SECOND },
  { starts: 'EAPI:Rate limit', outcome: 'rate-limited', pauseMs: 15 * SECOND },
  { starts: 'EGeneral:Temporary lockout', outcome: 'rate-limited', pauseMs: 15 * MINUTE },
  { starts: 'EQuery:', outcome: 'bad-request' },
  { starts: 'EGeneral:Invalid arguments', outcome: 'bad-request' },
  { starts: 'EGeneral:Permission denied', outcome: 'unauthorized' },
  { starts: 'EAPI:Invalid key', outcome: 'unauthorized' },
]

/** Kraken tells errors with HTTP 200, in `error`; a text that begins with W is a warning. Calls cost no credits. Never throws. */
export function judge(answer: HttpAnswer): Verdict {
  try {
    const errors = arrayOf(objectOf(parseExact(answer.body), '$').get('error'), '$.error').filter(isError)
    if (errors.length === 0 && answer.status === 200) return { kind: 'answered', charge: free }
    return refusalOf(errors[0], answer)
  } catch (error) {
    const what = isCryptosError(error) ? error.message : 'an unexpected shape'
    return refuse({
      outcome: outcomeOfStatus(answer.status),
      reason: `HTTP ${answer.status} without Kraken's envelope (${what})`,
      charge: free,
      retryAt: retryAfter(answer),
    })
  }
}

const isError = (value: Json): boolean => typeof value !== 'string' || !value.startsWith('W')

function refusalOf(error: Json | undefined, answer: HttpAnswer): Verdict {
  const text = typeof error === 'string' ? error : 'no text'
  const kind = kinds.find(k => text.startsWith(k.starts))
  const byStatus = answer.status === 200 ? 'provider-error' : outcomeOfStatus(answer.status)
  const pause = kind?.pauseMs === undefined ? null : inMs(answer.receivedAt, kind.pauseMs)
  return refuse({
    outcome: kind?.outcome ?? byStatus,
    reason: `Kraken (HTTP ${answer.status}): ${excerpt(text)}`,
    charge: free,
    retryAt: retryAfter(answer) ?? pause,
  })
}
