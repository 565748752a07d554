import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { isIPv4, isIPv6 } from 'node:net'
import { CryptosError } from '../../core/errors.ts'

/** Why a request is not looked at any further. The message never says whether what was asked for exists. */
export interface Refusal {
  readonly status: number
  readonly code: string
  readonly message: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface RequestFacts {
  readonly method: string
  /** As it came on the request line. */
  readonly target: string
  readonly headers: IncomingHttpHeaders
}

export interface GuardPolicy {
  /** Host header values that are ours, lower case, with the port. */
  readonly hosts: ReadonlySet<string>
  /** Whether any IP address literal with this port is ours too: where we listen on all addresses. A rebound DNS name never is one. */
  readonly anyAddressPort: number | null
  readonly token: string | undefined
  readonly maxUrlLength: number
}

const loopbackNames = ['127.0.0.1', 'localhost', '[::1]']

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))

/** `::1` → `[::1]`: the way a host stands in a URL. */
export const hostInUrl = (host: string): string => (isIPv6(host) ? `[${host}]` : host)

/** @throws CryptosError CRY_CONFIG_INVALID: a host that others can reach needs a token */
export function checkExposure(host: string, token: string | undefined): void {
  if (token !== undefined && !/^[\x21-\x7e]{16,256}$/.test(token))
    throw new CryptosError(
      'CRY_CONFIG_INVALID',
      'the token of the web page must have 16 to 256 printable characters without spaces',
    )
  if (!isLoopback(host) && token === undefined)
    throw new CryptosError(
      'CRY_CONFIG_INVALID',
      `the web page on ${host} could be reached by other machines: set a token for it, or listen on 127.0.0.1`,
    )
}

export function makePolicy(options: {
  readonly host: string
  readonly port: number
  readonly token: string | undefined
  readonly allowedHosts: readonly string[]
  readonly maxUrlLength: number
}): GuardPolicy {
  const { host, port } = options
  const names = [...loopbackNames, hostInUrl(host)].map(name => `${name}:${port}`)
  const withoutPort = port === 80 ? loopbackNames : []
  return {
    hosts: new Set([...names, ...withoutPort, ...options.allowedHosts].map(name => name.toLowerCase())),
    anyAddressPort: host === '0.0.0.0' || host === '::' ? port : null,
    token: options.token,
    maxUrlLength: options.maxUrlLength,
  }
}

/** The checks in their order: form, host, origin, token, method. undefined = go on. */
export function guard(request: RequestFacts, policy: GuardPolicy): Refusal | undefined {
  return (
    checkForm(request, policy) ??
    checkHost(request, policy) ??
    checkOrigin(request, policy) ??
    checkToken(request, policy) ??
    checkMethod(request)
  )
}

function checkForm({ target, headers }: RequestFacts, policy: GuardPolicy): Refusal | undefined {
  if (target.length > policy.maxUrlLength)
    return refusal(414, 'WEB_URL_TOO_LONG', 'the address is longer than allowed')
  if (!target.startsWith('/')) return refusal(400, 'WEB_BAD_REQUEST', 'the request names no path')
  if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0)
    return refusal(413, 'WEB_BODY', 'no address here takes a body')
  return undefined
}

function checkHost({ headers }: RequestFacts, policy: GuardPolicy): Refusal | undefined {
  if (headers.host !== undefined && isOurHost(headers.host, policy)) return undefined
  return refusal(421, 'WEB_HOST', 'this host name is not served here')
}

function isOurHost(host: string, policy: GuardPolicy): boolean {
  if (policy.hosts.has(host.toLowerCase())) return true
  if (policy.anyAddressPort === null) return false
  const address = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):(\d{1,5})$/.exec(host)
  const isAddress = isIPv6(address?.[1] ?? '') || isIPv4(address?.[2] ?? '')
  return isAddress && Number(address?.[3]) === policy.anyAddressPort
}

/**
 * Other sites may link to the page and nothing else: no reading, no writing, no stream. The model of Go 1.25's
 * CrossOriginProtection, for GET of the API too. Programs send neither header.
 */
function checkOrigin(request: RequestFacts, policy: GuardPolicy): Refusal | undefined {
  const { headers } = request
  const site = headers['sec-fetch-site']
  const isLink = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document'
  const foreignSite =
    site !== undefined && site !== 'same-origin' && site !== 'none' && !(isLink && request.method === 'GET')
  if (foreignSite || !isOurOrigin(headers.origin, headers.host, policy))
    return refusal(403, 'WEB_ORIGIN', 'requests from other sites are refused')
  return undefined
}

function isOurOrigin(origin: string | undefined, host: string | undefined, policy: GuardPolicy): boolean {
  if (origin === undefined) return true
  const match = /^https?:\/\/(.+)$/.exec(origin)
  const name = match?.[1] ?? ''
  return name.toLowerCase() === host?.toLowerCase() && isOurHost(name, policy)
}

function checkToken({ headers }: RequestFacts, policy: GuardPolicy): Refusal | undefined {
  if (policy.token === undefined || isSameText(givenToken(headers.authorization), policy.token))
    return undefined
  return refusal(
    401,
    'WEB_TOKEN',
    'a token is needed: as Bearer, or as the password of basic authentication',
    {
      'www-authenticate': 'Basic realm="cryptos", charset="UTF-8"',
    },
  )
}

/** The token of `Bearer T`, or the password of `Basic …` with any user name (what a browser asks for). */
function givenToken(header: string | undefined): string {
  const [scheme = '', value = ''] = (header ?? '').split(' ', 2)
  if (scheme.toLowerCase() === 'bearer') return value
  if (scheme.toLowerCase() !== 'basic') return ''
  const pair = Buffer.from(value, 'base64').toString('utf8')
  return pair.slice(pair.indexOf(':') + 1)
}

/** Takes the same time wherever the texts differ, and whatever their lengths are. */
function isSameText(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}

/** There is nothing here to change, so nothing but reading is allowed. */
function checkMethod({ method }: RequestFacts): Refusal | undefined {
  if (method === 'GET' || method === 'HEAD') return undefined
  return refusal(405, 'WEB_METHOD', 'only GET and HEAD are answered', { allow: 'GET, HEAD' })
}

function refusal(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Refusal {
  return { status, code, message, headers }
}
