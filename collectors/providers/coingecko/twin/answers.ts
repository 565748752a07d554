import type { EpochMicros } from '../../../../core/brands.ts'
import { toIso } from '../../../../core/time.ts'
import { toJson } from '../../../../sandbox/json.ts'
import type { Reply, ServedValue } from '../../../../sandbox/types.ts'

/** Codes that a client which keeps its limits never gets. */
export const tooMany = '429'
export const monthSpent = '429 month'

/** A reply without whom it is for. */
export type Answer = Omit<Reply, 'scope' | 'keyIn'>

const refusal = (status: number, code: string, body: string): Answer => ({
  ...{ status, body, code, credits: 0, result: 'refused', served: [] },
})

export const served = (body: string, values: readonly ServedValue[] = []): Answer => ({
  ...{ status: 200, body, code: '0', credits: 1, result: 'served', served: values },
})

/** `{"error": text}`: parameters and unknown coins. */
export const plainError = (status: number, error: string): Answer => refusal(status, error, toJson({ error }))

const rateText =
  "You've exceeded the Rate Limit. Please visit https://www.coingecko.com/en/api/pricing for higher rate limits."
const monthText = "You've exceeded the monthly call limit of your plan."

export interface RateForm {
  /** HTTP 200 with the error inside. */
  readonly as200: boolean
  /** A page of the CDN. */
  readonly asHtml: boolean
  readonly retryAfterSeconds: number
}

/** `{status: {error_code: 429, error_message}}`, with HTTP 429 or 200; or what a CDN says in a data centre. */
export function rateError({ as200, asHtml, retryAfterSeconds }: RateForm): Answer {
  const headers = { 'retry-after': String(retryAfterSeconds) }
  if (!asHtml) return { ...statusError(as200 ? 200 : 429, 429, rateText), headers, code: tooMany }
  const page =
    '<!DOCTYPE html><html><head><title>429 Too Many Requests</title></head><body>Throttled</body></html>'
  return {
    ...refusal(429, tooMany, page),
    headers: { ...headers, 'content-type': 'text/html; charset=utf-8' },
  }
}

export const monthError = (): Answer => ({ ...statusError(429, 429, monthText), code: monthSpent })

export const statusError = (status: number, code: number, text: string): Answer =>
  refusal(status, String(code), toJson({ status: { error_code: code, error_message: text } }))

/** A Demo key without its plan's access, a missing or unknown key. */
export const missingKey = (at: EpochMicros): Answer => {
  const status = { timestamp: toIso(at), error_code: 10_002, error_message: 'API Key Missing' }
  return refusal(401, '10002', toJson({ status }))
}

/** A key of another host: `{timestamp, error_code, status: {error_message}}`. */
export const wrongHost = (at: EpochMicros): Answer => {
  const text =
    'If you are using Pro API key, please change your root URL from api.coingecko.com to pro-api.coingecko.com'
  const body = { timestamp: toIso(at), error_code: 10_010, status: { error_message: text } }
  return refusal(400, '10010', toJson(body))
}

export const paidOnly = (): Answer =>
  statusError(401, 10_005, 'This request is limited to PRO API subscribers.')

/** `{error: {status: {…}}}` */
export const tooOld = (at: EpochMicros): Answer => {
  const text =
    'Your request exceeds the allowed time range. Public API users are limited to querying historical data within the past 365 days.'
  const status = { timestamp: toIso(at), error_code: 10_012, error_message: text }
  return refusal(401, '10012', toJson({ error: { status } }))
}
