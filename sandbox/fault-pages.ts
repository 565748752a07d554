import type { EpochMicros } from '../core/brands.ts'
import { DAY, toEpochMs } from '../core/time.ts'
import type { FaultSpec } from './fault-kinds.ts'
import type { Call, Reply, Twin } from './types.ts'

type Replacement = Pick<Reply, 'status' | 'body' | 'code'> & Partial<Pick<Reply, 'headers'>>

const html = 'text/html; charset=utf-8'
const maintenancePage =
  '<!DOCTYPE html><html><head><title>Maintenance</title></head><body>We will be back soon.</body></html>'
const cloudflarePage = [
  '<!DOCTYPE html><html lang="en-US"><head><title>Access denied | 127.0.0.1 used Cloudflare to restrict access</title></head>',
  '<body><h1><span>Error</span><span>1015</span></h1><h2>You are being rate limited</h2>',
  '<p>The owner of this website has banned you temporarily from accessing this website.</p>',
  '</body></html>',
].join('\n')
const notice = '{"notice":"This API has been retired. See our new offering.","data":{}}'

/** RFC 9745 and RFC 8594: since yesterday, until tomorrow. */
export const deprecatedHeaders = (at: EpochMicros): Record<string, string> => ({
  deprecation: `@${Math.floor((toEpochMs(at) - DAY) / 1_000)}`,
  sunset: new Date(toEpochMs(at) + DAY).toUTCString(),
})

const waiting = (seconds: number | undefined): Record<string, string> =>
  seconds === undefined ? {} : { 'retry-after': String(seconds) }

/** The answer that a fault puts in the place of the provider's own; undefined for faults of another kind. */
export function replacementFor(twin: Twin, call: Call, spec: FaultSpec): Replacement | undefined {
  switch (spec.kind) {
    case 'server-error':
      return twin.serverError(call, spec.status ?? 500)
    case 'rate-limited':
      return withWait(twin.rateLimited(call), spec.retryAfterSeconds)
    case 'error-200':
      return { ...ownError(twin, call, spec.like), status: 200 }
    case 'html':
      return page(200, maintenancePage, { 'content-type': spec.type ?? html })
    case 'maintenance':
      return page(503, maintenancePage, waiting(spec.retryAfterSeconds))
    case 'text':
      return page(spec.status ?? 200, 'upstream connect error', { 'content-type': 'text/plain' })
    case 'cloudflare':
      return page(spec.status ?? 429, cloudflarePage, {
        ...{ server: 'cloudflare', 'cf-ray': '8f2a1b3c4d5e6f70-FRA' },
        ...waiting(spec.retryAfterSeconds),
      })
    case 'redirect':
      return page(spec.status ?? 301, '', { location: spec.location ?? 'https://api.example.com/v9' })
    case 'deprecated':
      return { ...gone(spec.body), headers: deprecatedHeaders(call.at) }
    case 'replace-body':
      return { status: spec.status ?? 200, body: spec.body, code: 'replaced' }
    default:
      return undefined
  }
}

const gone = (body: 'empty' | 'notice' | 'kept' | undefined): Replacement => ({
  status: 200,
  body: body === 'notice' ? notice : '{}',
  code: 'deprecated',
})

const page = (status: number, body: string, headers: Record<string, string>): Replacement => ({
  ...{ status, body, code: `page-${status}` },
  headers: { 'content-type': html, ...headers },
})

const ownError = (twin: Twin, call: Call, like: string | undefined): Replacement =>
  like === 'rate-limited' ? twin.rateLimited(call) : twin.serverError(call, 500)

const withWait = (answer: Replacement, seconds: number | undefined): Replacement =>
  seconds === undefined ? answer : { ...answer, headers: { ...answer.headers, ...waiting(seconds) } }
