import type { ChangeSpec } from './body-changes.ts'
import type { SandboxProvider } from './types.ts'

/** Whether the provider charges a call that it answers so; false by default. */
interface Replacing {
  readonly charged?: boolean
}

/** Faults that take the place of the provider's answer; one acts at most. */
export type ReplacingFault =
  | { readonly kind: 'server-error'; readonly status?: number; readonly charged: boolean }
  | { readonly kind: 'rate-limited'; readonly retryAfterSeconds?: number }
  /** The provider's own words for an error or a passed limit, with HTTP 200. */
  | ({ readonly kind: 'error-200'; readonly like?: 'server-error' | 'rate-limited' } & Replacing)
  /** A maintenance page with HTTP 200, as `type` (text/html). */
  | ({ readonly kind: 'html'; readonly type?: string } & Replacing)
  /** The same page with 503, as a proxy sends it. */
  | ({ readonly kind: 'maintenance'; readonly retryAfterSeconds?: number } & Replacing)
  /** One line of plain text. */
  | ({ readonly kind: 'text'; readonly status?: number } & Replacing)
  /** Cloudflare's own page "error 1015: you are being rate limited", with 429 or any other status. */
  | ({
      readonly kind: 'cloudflare'
      readonly status?: number
      readonly retryAfterSeconds?: number
    } & Replacing)
  /** To another host. */
  | ({ readonly kind: 'redirect'; readonly status?: number; readonly location?: string } & Replacing)
  /** An API that is switched off without an error: 200, `Deprecation` and `Sunset`, and nothing, a notice or (`kept`) still the data. */
  | ({ readonly kind: 'deprecated'; readonly body?: 'empty' | 'notice' | 'kept' } & Replacing)
  /** Sends this body instead of the provider's own. */
  | ({ readonly kind: 'replace-body'; readonly body: string; readonly status?: number } & Replacing)

/** Faults of the bytes on the wire. The call is charged. */
export type WireFault =
  /** Some kilobytes that inflate to so many megabytes (200). */
  | { readonly kind: 'gzip-bomb'; readonly megabytes?: number }
  /** Chunks until the caller goes away. */
  | { readonly kind: 'endless-body' }
  /** The good body, blown up with blanks to so many bytes (5,000,000): valid JSON. */
  | { readonly kind: 'big-body'; readonly bytes?: number }
  /** The good body under a wrong type (text/html). */
  | { readonly kind: 'content-type'; readonly type?: string }
  /** The good body in gzip, under the name of another encoding (br). */
  | { readonly kind: 'encoding-name'; readonly name?: string }

/** What goes wrong on request. Times are real milliseconds unless the name says virtual. */
export type Fault =
  | ReplacingFault
  | WireFault
  /** Waits before the provider processes the call (`before`) or, charged, before it answers (`after`, the default). */
  | {
      readonly kind: 'delay'
      readonly ms?: number
      readonly virtualMs?: number
      readonly when?: 'before' | 'after'
    }
  | { readonly kind: 'slow-body'; readonly bytesPerSecond: number }
  /** Sends so many bytes of the body (half of it by default), then destroys the connection. */
  | { readonly kind: 'cut-body'; readonly bytes?: number }
  /** Processed and charged; then the connection dies without an answer. */
  | { readonly kind: 'lost-answer' }
  /** Before the call another program charges credits to the key, never past its limit. */
  | { readonly kind: 'foreign-use'; readonly credits: number }
  /** Shifts the `Date` header. */
  | { readonly kind: 'clock-offset'; readonly ms: number }
  /** Charges so many times its documented price (2 by default). */
  | { readonly kind: 'overcharge'; readonly factor?: number }
  /** Rewrites the good body; see `bodyChanges`. */
  | ({ readonly kind: 'change-body' } & ChangeSpec)

export type FaultKind = Fault['kind']

export type FaultSpec = Fault & {
  /** How often it hits; 1 by default, null = always. */
  readonly times?: number | null
  readonly provider?: SandboxProvider
  /** Only calls whose endpoint contains this text. */
  readonly endpoint?: string
  /** Lets so many matching calls pass first. */
  readonly skip?: number
}
