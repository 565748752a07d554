import { toJson } from '../../../../sandbox/json.ts'
import type { ServedValue } from '../../../../sandbox/types.ts'

/** What an endpoint says: data with the prices in it, or an error of the provider's table. */
export type Said =
  | { readonly body: string; readonly served: readonly ServedValue[] }
  | { readonly status: number; readonly code: number; readonly message: string }

export const errorBody = (code: number, msg: string): string => toJson({ code, msg })

export const wrong = (code: number, message: string): Said => ({ status: 400, code, message })
export const invalidSymbol = wrong(-1121, 'Invalid symbol.')
export const missing = (name: string): Said =>
  wrong(-1102, `Mandatory parameter '${name}' was not sent, was empty/null, or malformed.`)
export const illegal = (name: string, range: string): Said =>
  wrong(-1100, `Illegal characters found in parameter '${name}'; legal range is '${range}'.`)
export const tooMuchWeight = (limit: number): string =>
  `Too much request weight used; current limit is ${limit} request weight per 1 MINUTE. Please use WebSocket Streams for live updates to avoid polling the API.`
export const bannedUntil = (untilMs: number): string =>
  `Way too much request weight used; IP banned until ${untilMs}. Please use WebSocket Streams for live updates to avoid bans.`
export const restricted =
  "Service unavailable from a restricted location according to 'b. Eligibility' in https://www.binance.com/en/terms. Please contact customer service if you believe you received this message in error."
export const firewallPage =
  '<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n<center><h1>403 Forbidden</h1></center>\r\n</body>\r\n</html>\r\n'
