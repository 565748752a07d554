import { isCryptosError } from '../../../core/errors.ts'
import type { Outcome } from '../../../core/outcomes.ts'
import { MINUTE, SECOND } from '../../../core/time.ts'
import { type Json, JsonArray, JsonObject, parseExact } from '../../json.ts'
import { excerpt, free, inMs, outcomeOfStatus, refuse, retryAfter } from '../../judging.ts'
import type { HttpAnswer, Verdict } from '../../provider.ts'

/** No answer names a time: the only block that was ever told lasted 900 seconds, and the window of the limit is 10 minutes. */
const blockMs = 15 * MINUTE
const longestBlockSeconds = 86_400

/** Response codes of the official list whose outcome is another than that of their class. */
const outcomeByCode: Readonly<Record<string, Outcome>> = {
  '400.002': 'rate-limited',
  '400.067': 'rate-limited',
  '400.068': 'rate-limited',
}
/** `400.018`, `API0004`: what begins a code tells its class. */
const classes: readonly (readonly [starts: string, outcome: Outcome])[] = [
  ['400.', 'bad-request'],
  ['403.', 'unauthorized'],
  ['404.', 'bad-request'],
  ['405.', 'bad-request'],
  ['410.', 'bad-request'],
  ['500.', 'provider-error'],
  ['API00', 'unauthorized'],
]

/** What each ticker has had at any time, and those of other exchanges with a `last` do not: it does not name itself. */
const members = ['last', 'vwap', 'bid', 'ask', 'timestamp'] as const

/** A ticker is an object with all of its members. Never throws. */
export const judgeTicker = (answer: HttpAnswer): Verdict =>
  judgeBy(answer, body => body instanceof JsonObject && members.every(name => body.get(name) !== undefined))

/** Candles are an object with `data`. Never throws. */
export const judgeCandles = (answer: HttpAnswer): Verdict =>
  judgeBy(answer, body => body instanceof JsonObject && body.get('data') instanceof JsonObject)

/** Markets are a list. Never throws. */
export const judgeMarkets = (answer: HttpAnswer): Verdict =>
  judgeBy(answer, body => body instanceof JsonArray)

/** Calls cost no credits. */
function judgeBy(answer: HttpAnswer, isData: (body: Json) => boolean): Verdict {
  try {
    const body = parseExact(answer.body)
    if (answer.status === 200 && isData(body) && !isError(body)) return { kind: 'answered', charge: free }
    return refusal(answer, body instanceof JsonObject ? toldBy(body) : { text: 'no object with an error' })
  } catch (error) {
    if (!isCryptosError(error)) return refusal(answer, { text: 'an unexpected shape' })
    const block = blockOf(answer)
    return block ?? refusal(answer, { text: `no JSON: ${error.message}` })
  }
}

const isError = (body: Json): boolean =>
  body instanceof JsonObject && (body.get('status') === 'error' || body.get('errors') !== undefined)

interface Told {
  readonly text: string
  readonly code?: string
  /** The body is an error of the API's own. */
  readonly isOwn?: boolean
}

/** `{status:"error",reason,response_code|code}`, `{code,errors:[{field,message}]}`, `{message}`, `{error}`. */
function toldBy(body: JsonObject): Told {
  const code = [body.get('response_code'), body.get('code')].find(value => typeof value === 'string')
  const list = body.get('errors')
  const [first] = list instanceof JsonArray ? list.items() : []
  const texts = ['reason', 'message', 'error', 'response_explanation'].map(name => body.get(name))
  if (first instanceof JsonObject) texts.push(first.get('message'))
  const text = texts.find(value => typeof value === 'string')
  return {
    text: text ?? 'no message',
    isOwn: isError(body) || text !== undefined,
    ...(code === undefined ? {} : { code: excerpt(code) }),
  }
}

function refusal(answer: HttpAnswer, { text, code, isOwn = false }: Told): Verdict {
  const outcome = outcomeOf(answer.status, code, isOwn)
  const pause = outcome === 'rate-limited' ? inMs(answer.receivedAt, blockMs) : null
  return refuse({
    outcome,
    reason: `Bitstamp (HTTP ${answer.status}${code === undefined ? '' : `, ${code}`}): ${excerpt(text)}`,
    charge: free,
    retryAt: retryAfter(answer) ?? pause,
  })
}

function outcomeOf(status: number, code: string | undefined, isOwn: boolean): Outcome {
  if (status >= 500 || status === 429) return outcomeOfStatus(status)
  const byCode = code === undefined ? undefined : outcomeOfCode(code)
  if (byCode !== undefined) return byCode
  // The firewall before the API refuses whoever calls too often by a page; the API itself always names a code.
  if (status === 403 && !isOwn) return 'rate-limited'
  return status === 200 && isOwn ? 'provider-error' : outcomeOfStatus(status)
}

const outcomeOfCode = (code: string): Outcome | undefined =>
  Object.hasOwn(outcomeByCode, code)
    ? outcomeByCode[code]
    : classes.find(([starts]) => code.startsWith(starts))?.[1]

/** `192.0.2.7 blocked for 900 seconds`, as text with HTTP 200. */
function blockOf(answer: HttpAnswer): Verdict | undefined {
  const text = excerpt(Buffer.from(answer.body.subarray(0, 200)).toString('latin1'))
  const found = answer.status < 500 ? /\bblocked for (\d{1,6}) seconds\b/.exec(text) : null
  if (!found) return undefined
  const seconds = Math.min(Number(found[1]), longestBlockSeconds)
  return refuse({
    outcome: 'rate-limited',
    reason: `Bitstamp (HTTP ${answer.status}): this address is blocked for ${seconds} seconds`,
    charge: free,
    retryAt: retryAfter(answer) ?? inMs(answer.receivedAt, seconds * SECOND),
  })
}
