import { Credits } from '../../../core/brands.ts'
import { DAY, MINUTE, SECOND } from '../../../core/time.ts'
import { JsonArray, JsonObject } from '../../json.ts'
import {
  chargeByStatus,
  excerpt,
  inMs,
  outcomeOfStatus,
  parseOrNot,
  providerDate,
  refuse,
  retryAfter,
} from '../../judging.ts'
import type { HttpAnswer, Verdict } from '../../provider.ts'

/** The provider tells no time for a 429, and its periods are a day or a month. */
const pauseMs = 15 * MINUTE
/** A signature is taken within this much of the server's clock (page of the API, 2019). */
const maxSkewMs = 15 * SECOND
/** Long words of an error text may be the key or the signature that it complains of. */
const longWord = /[A-Za-z0-9_=+-]{20,}/g
/** Texts of refusals that have come with other statuses than their own. */
const isKeyTrouble = /unauthenticated|api keys? required/i
const utf8 = new TextDecoder()

/** Errors are text, or an object with `message`. A served request counts one. Never throws. */
export function judge(answer: HttpAnswer): Verdict {
  const body = parseOrNot(answer.body)
  const notice = body instanceof JsonObject ? noticeOf(body) : undefined
  if (answer.status === 200 && notice !== undefined) return closed(notice, answer)
  if (answer.status === 200 && (body instanceof JsonObject || body instanceof JsonArray))
    return { kind: 'answered', charge: { kind: 'known', credits: Credits(1) } }
  return refused(notice ?? said(utf8.decode(answer.body.subarray(0, 1_000))), answer)
}

function noticeOf(body: JsonObject): string | undefined {
  for (const name of ['message', 'notice', 'error', 'detail']) {
    const text = body.get(name)
    if (typeof text === 'string') return said(text)
  }
  return undefined
}

const said = (text: string): string => excerpt(text.replaceAll(longWord, '***'))

/** The first API answered so with HTTP 200 when it was shut down: asking again soon gives nothing. */
const closed = (notice: string, answer: HttpAnswer): Verdict =>
  refuse({
    outcome: 'provider-error',
    reason: `the source is closed: BitcoinAverage sends a notice in place of prices: ${notice || 'no text'}`,
    charge: chargeByStatus(answer.status),
    retryAt: retryAfter(answer) ?? inMs(answer.receivedAt, DAY),
  })

function refused(text: string, answer: HttpAnswer): Verdict {
  const { status, receivedAt } = answer
  const pause = status === 429 ? inMs(receivedAt, pauseMs) : null
  return refuse({
    outcome: status === 200 && isKeyTrouble.test(text) ? 'unauthorized' : outcomeOfStatus(status),
    reason: `BitcoinAverage (HTTP ${status}): ${text || 'no text'}${skewOf(answer)}`,
    charge: chargeByStatus(status),
    retryAt: retryAfter(answer) ?? pause,
  })
}

/** A refused signature is often a wrong clock. */
function skewOf(answer: HttpAnswer): string {
  const date = providerDate(answer)
  if ((answer.status !== 401 && answer.status !== 403) || date === null) return ''
  const skewMs = Math.round((answer.receivedAt - date) / 1_000)
  if (Math.abs(skewMs) <= maxSkewMs) return ''
  const off = `${Math.round(Math.abs(skewMs) / SECOND)} s ${skewMs > 0 ? 'ahead of' : 'behind'}`
  return `; our clock is ${off} the provider's, and a signature is taken within 15 s`
}
