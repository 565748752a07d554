import { isCryptosError } from '../../../core/errors.ts'
import type { EpochMicros } from '../../../core/brands.ts'
import type { Outcome } from '../../../core/outcomes.ts'
import { DAY, fromEpochMs, MINUTE, toEpochMs } from '../../../core/time.ts'
import { wholeOf } from '../../check.ts'
import { type Json, JsonArray, JsonNumber, JsonObject, parseExact } from '../../json.ts'
import { excerpt, free, inMs, nextUtcMinute, outcomeOfStatus, refuse, retryAfter } from '../../judging.ts'
import type { HttpAnswer, Verdict } from '../../provider.ts'

/** REQUEST_WEIGHT of one address in a minute (rest-api.md "IP Limits"; exchangeInfo `rateLimits`, NOTES.md). */
const weightPerMinute = 6_000
/** From here on the address is left alone until the minute is over: others may share it. */
const weightAlarm = 0.9 * weightPerMinute
/** The firewall names no time; ours. */
const firewallPauseMs = 15 * MINUTE
/** The shortest ban there is, for one that tells no time ("from 2 minutes to 3 days"). */
const banMs = 2 * MINUTE

/** Codes of errors.md. 10xx are of the server or the network but for these; 11xx say that the request is wrong. */
const outcomeByCode: Readonly<Record<number, Outcome>> = {
  [-1002]: 'unauthorized',
  [-1003]: 'rate-limited',
  [-1015]: 'rate-limited',
  [-1020]: 'bad-request',
  [-1021]: 'bad-request',
  [-1022]: 'unauthorized',
}

interface Told {
  readonly code: number
  readonly message: string
}

/** Lists are answers of tickers and candles. Calls cost no credits. Never throws. */
export const judge = (answer: HttpAnswer): Verdict => judgeBy(answer, body => body instanceof JsonArray)

/** The list of all pairs is an object with `symbols`. A pair that does not exist is an answer: there is none. Never throws. */
export const judgeCatalog = (answer: HttpAnswer): Verdict =>
  answer.status === 400 && toldIn(answer) === badSymbol
    ? { kind: 'answered', charge: free }
    : judgeBy(answer, body => body instanceof JsonObject && body.get('symbols') instanceof JsonArray)

const badSymbol = -1121

function toldIn({ body }: HttpAnswer): number | undefined {
  try {
    const told = toldBy(parseExact(body))
    return typeof told === 'string' ? undefined : told.code
  } catch (error) {
    if (isCryptosError(error)) return undefined
    throw error
  }
}

function judgeBy(answer: HttpAnswer, isData: (body: Json) => boolean): Verdict {
  try {
    const body = parseExact(answer.body)
    if (answer.status === 200 && isData(body)) return answered(answer)
    return refusalOf(toldBy(body), answer)
  } catch (error) {
    return refusalOf(isCryptosError(error) ? `no JSON: ${error.message}` : 'an unexpected shape', answer)
  }
}

function answered(answer: HttpAnswer): Verdict {
  const used = wholeOf(answer.headers['x-mbx-used-weight-1m'])
  const isNear = used !== undefined && used >= weightAlarm
  return isNear
    ? { kind: 'answered', charge: free, pauseUntil: nextUtcMinute(answer.receivedAt) }
    : { kind: 'answered', charge: free }
}

/** `{"code":-1121,"msg":"Invalid symbol."}` (errors.md), or what is wrong with the body. */
function toldBy(body: Json): Told | string {
  if (!(body instanceof JsonObject)) return 'no object with code and msg'
  const [code, message] = [body.get('code'), body.get('msg')]
  if (!(code instanceof JsonNumber) || !/^-?\d{1,6}$/.test(code.text)) return 'no code'
  return { code: Number(code.text), message: typeof message === 'string' ? excerpt(message) : 'no message' }
}

function refusalOf(told: Told | string, answer: HttpAnswer): Verdict {
  const { status } = answer
  const outcome = outcomeOf(typeof told === 'string' ? undefined : told.code, status)
  const text = typeof told === 'string' ? excerpt(told) : `error ${told.code}: ${told.message}`
  return refuse({
    outcome,
    reason: `${blockOf(status)}Binance (HTTP ${status}): ${text}`,
    charge: free,
    retryAt: outcome === 'rate-limited' ? pauseUntil(told, answer) : retryAfter(answer),
  })
}

/** What the status alone says, in words that tell a person what to do. */
function blockOf(status: number): string {
  if (status === 451) return 'Binance does not serve the country of this address: use another source; '
  if (status === 418) return 'Binance has banned this address for calling on after its refusals; '
  return status === 403 ? 'the firewall of Binance refuses this address; ' : ''
}

function outcomeOf(code: number | undefined, status: number): Outcome {
  if (status === 451) return 'unauthorized'
  // "This can indicate a rate limit violation or a security block": either ends by staying away only.
  if (status === 403 || status === 418 || status === 429) return 'rate-limited'
  if (status >= 500) return 'provider-error'
  const byCode = code === undefined ? undefined : outcomeByCode[code]
  if (byCode !== undefined) return byCode
  if (code !== undefined && code <= -1100 && code > -1200) return 'bad-request'
  if (status !== 200) return outcomeOfStatus(status)
  return code === undefined ? 'transport-error' : 'provider-error'
}

/** The provider's word (seconds, or the end of a ban in its message), else a wait of ours. */
function pauseUntil(told: Told | string, answer: HttpAnswer): EpochMicros {
  const { status, receivedAt } = answer
  const words = [retryAfter(answer), banEnd(told, receivedAt)].filter(at => at !== null && at > receivedAt)
  const longest = words.reduce((a, b) => (a !== null && b !== null && a > b ? a : b), null)
  if (longest !== null) return longest
  if (status === 403) return inMs(receivedAt, firewallPauseMs)
  return status === 418 ? inMs(receivedAt, banMs) : nextUtcMinute(receivedAt)
}

/** "Way too much request weight used; IP banned until 1573115440000." At most 7 days: a ban has three. */
function banEnd(told: Told | string, receivedAt: EpochMicros): EpochMicros | null {
  const found = typeof told === 'string' ? null : /banned until (\d{13})\b/.exec(told.message)
  if (!found) return null
  return fromEpochMs(Math.min(Number(found[1]), toEpochMs(receivedAt) + 7 * DAY))
}
