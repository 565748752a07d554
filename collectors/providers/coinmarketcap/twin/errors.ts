/** Gateway errors: code to HTTP status and message. Messages are those of the provider's error table, as far as it quotes them. */
export const gatewayErrors = {
  1001: [401, 'This API Key is invalid.'],
  1002: [401, 'API key missing.'],
  1005: [403, 'An API Key is required for this call.'],
  1006: [403, "Your API Key subscription plan doesn't support this endpoint."],
  1008: [429, "You've exceeded your API Key's HTTP request rate limit. Rate limits reset every minute."],
  1009: [429, "You've exceeded your API Key's daily rate limit."],
  1010: [429, "You've exceeded your API Key's monthly rate limit."],
  1011: [429, "You've hit an IP rate limit."],
} as const satisfies Record<number, readonly [number, string]>

export type GatewayCode = keyof typeof gatewayErrors

/** The request itself is wrong: HTTP 400, code 400, nothing charged. */
export class BadRequest extends Error {}

/** The provider is busy: code 500, nothing charged. */
export const busyMessage = 'The system is busy, please try again later!'
