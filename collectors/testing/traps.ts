import type { Outcome } from '../../core/outcomes.ts'
import { type BodyChange, bodyChanges } from '../../sandbox/body-changes.ts'
import type { FaultSpec } from '../../sandbox/faults.ts'

/** A fault, and every end that is honest for it. */
export interface Trap {
  readonly name: string
  readonly fault: FaultSpec
  readonly ends: readonly Outcome[]
  /** Code of the client's error, where no whole answer may come. */
  readonly code?: string
}

const trap = (name: string, fault: FaultSpec, ...ends: readonly Outcome[]): Trap => ({ name, fault, ends })
const transport = (name: string, fault: FaultSpec, code: string): Trap => ({
  ...trap(name, fault, 'transport-error'),
  code,
})

/** Without an answer of the provider: nothing may be recorded, nothing may be called an empty success. */
export const pageTraps: readonly Trap[] = [
  trap('HTTP 500', { kind: 'server-error', charged: false }, 'provider-error'),
  trap('HTTP 502, charged', { kind: 'server-error', status: 502, charged: true }, 'provider-error'),
  trap('HTTP 503', { kind: 'server-error', status: 503, charged: false }, 'provider-error'),
  trap('too many requests', { kind: 'rate-limited' }, 'rate-limited'),
  trap('too many requests, with Retry-After', { kind: 'rate-limited', retryAfterSeconds: 9 }, 'rate-limited'),
  trap('an error with 200', { kind: 'error-200' }, 'provider-error', 'transport-error'),
  trap(
    'a passed limit with 200',
    { kind: 'error-200', like: 'rate-limited' },
    ...(['rate-limited', 'provider-error', 'transport-error'] as const),
  ),
  trap('HTML with 200', { kind: 'html', charged: true }, 'transport-error', 'provider-error'),
  trap(
    'HTML that says it is JSON',
    { kind: 'html', type: 'application/json' },
    ...(['transport-error', 'provider-error'] as const),
  ),
  trap('a line of text with 200', { kind: 'text' }, 'transport-error', 'provider-error'),
  trap('a line of text with 502', { kind: 'text', status: 502 }, 'provider-error'),
  trap('a maintenance page', { kind: 'maintenance', retryAfterSeconds: 600 }, 'provider-error'),
  trap('Cloudflare 1015', { kind: 'cloudflare', retryAfterSeconds: 30 }, 'rate-limited'),
  trap('Cloudflare 1015 with 200', { kind: 'cloudflare', status: 200 }, 'transport-error', 'provider-error'),
  trap('Cloudflare 403', { kind: 'cloudflare', status: 403 }, 'unauthorized', 'rate-limited'),
]

const nothing = ['transport-error', 'provider-error', 'payload-invalid', 'partial'] as const
/** 200 without data: an API that was switched off, or a body of another kind. */
export const emptyTraps: readonly Trap[] = [
  trap('switched off: {}', { kind: 'deprecated' }, ...nothing),
  trap('switched off: a notice', { kind: 'deprecated', body: 'notice' }, ...nothing),
  ...['', 'null', '[]', '"OK"', '0', '{"data":{},"result":{}}', '{"price":'].map(body =>
    trap(`the body ${body || 'of 0 bytes'}`, { kind: 'replace-body', body }, ...nothing),
  ),
]

/** On the wire: an answer that can not be had, however long or large. */
export const wireTraps: readonly Trap[] = [
  transport('a gzip bomb of 200 MB', { kind: 'gzip-bomb' }, 'CRY_HTTP_TOO_LARGE'),
  transport('a body without an end', { kind: 'endless-body' }, 'CRY_HTTP_TOO_LARGE'),
  transport('a good body of 5 MB', { kind: 'big-body' }, 'CRY_HTTP_TOO_LARGE'),
  transport('gzip that says br', { kind: 'encoding-name' }, 'CRY_HTTP_NETWORK'),
  transport('gzip that says zstd', { kind: 'encoding-name', name: 'zstd' }, 'CRY_HTTP_NETWORK'),
  transport('a cut body', { kind: 'cut-body' }, 'CRY_HTTP_NETWORK'),
  transport('a lost answer', { kind: 'lost-answer' }, 'CRY_HTTP_NETWORK'),
  transport('a redirect to another host', { kind: 'redirect' }, 'CRY_HTTP_REDIRECT'),
  transport('a redirect that is temporary', { kind: 'redirect', status: 307 }, 'CRY_HTTP_REDIRECT'),
]
/** These end at the deadline. */
export const slowTraps: readonly Trap[] = [
  transport('1 byte a second', { kind: 'slow-body', bytesPerSecond: 1 }, 'CRY_HTTP_TIMEOUT'),
  transport('no answer at all', { kind: 'delay', ms: 60_000 }, 'CRY_HTTP_TIMEOUT'),
]

/** Something is odd, the data are good: they must be had. */
export const harmlessTraps: readonly Trap[] = [
  trap('a wrong content type', { kind: 'content-type' }, 'collected'),
  trap('a Date of yesterday', { kind: 'clock-offset', ms: -86_400_000 }, 'collected'),
  trap('twice the documented cost', { kind: 'overcharge' }, 'collected'),
  trap('Deprecation and Sunset', { kind: 'deprecated', body: 'kept' }, 'collected'),
  trap('__proto__ and constructor', { kind: 'change-body', change: 'proto-keys' }, 'collected'),
  trap('members nobody knows', { kind: 'change-body', change: 'new-keys' }, 'collected'),
  trap('no members but the price', { kind: 'change-body', change: 'gone-keys' }, 'collected'),
]

const answered = ['collected', 'partial', 'payload-invalid', 'provider-error', 'transport-error'] as const
const harmless: readonly BodyChange[] = ['proto-keys', 'new-keys', 'gone-keys']
const variants: readonly FaultSpec[] = [
  { kind: 'change-body', change: 'scaled-price', digits: -8 },
  { kind: 'change-body', change: 'scaled-price', digits: 8 },
  { kind: 'change-body', change: 'shifted-clock', ms: 86_400_000 },
  { kind: 'change-body', change: 'null-price', all: true },
  { kind: 'change-body', change: 'separators-price', all: true },
  { kind: 'change-body', change: 'renamed-field', all: true },
  { kind: 'change-body', change: 'relabelled-currency', all: true },
]
/** A body that is not what it was: what it says now is recorded, or nothing is. */
export const bodyTraps: readonly (Trap & { readonly change: BodyChange })[] = [
  ...bodyChanges
    .filter(change => !harmless.includes(change))
    .map(change => ({ kind: 'change-body', change }) as const),
  ...variants,
].flatMap(fault => {
  if (fault.kind !== 'change-body') return []
  const { kind: _, change, ...how } = fault
  const name = [change, ...Object.entries(how).map(([member, value]) => `${member} ${value}`)].join(', ')
  return [{ ...trap(name, fault, ...answered), change }]
})
