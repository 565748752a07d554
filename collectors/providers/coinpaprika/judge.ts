import { Credits } from '../../../core/brands.ts'
import { isCryptosError } from '../../../core/errors.ts'
import type { Outcome } from '../../../core/outcomes.ts'
import { MINUTE } from '../../../core/time.ts'
import { JsonArray, JsonObject, parseExact } from '../../json.ts'
import {
  chargeByStatus,
  excerpt,
  inMs,
  nextUtcDay,
  outcomeOfStatus,
  refuse,
  retryAfter,
} from '../../judging.ts'
import type { HttpAnswer, Page, Verdict } from '../../provider.ts'

/** Every served call is one of the month's 20,000 (https://docs.coinpaprika.com/api-plans). */
export const perCall = Credits(1)
/** No answer with 429 is known to say how long to stay away; ours. */
const pauseMs = MINUTE
const planWords = /plan|paid|upgrade|subscri|historical|not allowed/i
const quotaWords = /limit|quota|exceed|exhaust|used up|too many/i

/** Errors come with their status and `{"error": text}`. 4xx are taken to cost nothing [U]. Never throws. */
export function judge(answer: HttpAnswer, page: Pick<Page, 'range'>): Verdict {
  const said = saidBy(answer)
  if (answer.status === 200 && said.kind === 'data')
    return { kind: 'answered', charge: { kind: 'known', credits: perCall } }
  const outcome = outcomeOf(answer, said, page)
  return refuse({
    outcome,
    reason: `CoinPaprika (HTTP ${answer.status}): ${said.text}`,
    charge: chargeByStatus(answer.status),
    retryAt: retryAfter(answer) ?? ownRetryAt(outcome, answer),
  })
}

interface Said {
  readonly kind: 'data' | 'error' | 'other'
  readonly text: string
}

function saidBy({ body }: HttpAnswer): Said {
  try {
    const root = parseExact(body)
    const error = root instanceof JsonObject ? root.get('error') : undefined
    if (typeof error === 'string') return { kind: 'error', text: excerpt(error) || 'an error without a text' }
    const isData = root instanceof JsonArray || root instanceof JsonObject
    return isData
      ? { kind: 'data', text: 'no error in the body' }
      : { kind: 'other', text: 'no list or object' }
  } catch (error) {
    return { kind: 'other', text: isCryptosError(error) ? error.message : 'an unexpected shape' }
  }
}

function outcomeOf({ status }: HttpAnswer, said: Said, { range }: Pick<Page, 'range'>): Outcome {
  if (status === 402) return outcomeOf402(said, range !== undefined)
  return status === 200
    ? said.kind === 'error'
      ? 'provider-error'
      : 'transport-error'
    : outcomeOfStatus(status)
}

/**
 * 402 says either that the month is used up or that the plan does not have the call (official client, client.rs). The text tells;
 * where it does not, only history can be a matter of the plan: all else that is asked here is part of the free one.
 */
function outcomeOf402({ text }: Said, isHistory: boolean): Outcome {
  const isPlan = planWords.test(text)
  const isQuota = quotaWords.test(text)
  if (isPlan === isQuota) return isHistory ? 'unauthorized' : 'quota-exhausted'
  return isPlan ? 'unauthorized' : 'quota-exhausted'
}

/** Whether the month is that of the calendar is not known [U]: a spent quota is looked at again once a UTC day. */
function ownRetryAt(outcome: Outcome, { receivedAt }: HttpAnswer) {
  if (outcome === 'quota-exhausted') return nextUtcDay(receivedAt)
  return outcome === 'rate-limited' ? inMs(receivedAt, pauseMs) : null
}
