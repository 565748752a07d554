import type { EpochMicros } from '../core/brands.ts'
import { CryptosError } from '../core/errors.ts'
import type { Clock } from '../core/ports/clock.ts'
import { SECOND } from '../core/time.ts'
import type { Resolve } from './http-address.ts'
import { httpError } from './http-errors.ts'
import { Transport } from './http-transport.ts'
import { loadAxios } from './load-axios.ts'
import type { HttpAnswer } from './provider.ts'

export interface HttpCall {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** The key and the header that carries it: never in the URL, in an error or in a log. */
  readonly secretHeader?: { readonly name: string; readonly value: string }
  /** Checked on the connected socket, just before the request is written. */
  readonly startBy?: EpochMicros
  /** For the whole call, name look-up to last byte. */
  readonly deadlineMs: number
  readonly signal: AbortSignal
  /** Named in the announcement of the step `sent`. */
  readonly slot: string
  /** Called right before the first byte of the request leaves; what fails earlier has cost nothing. */
  readonly onSent?: () => void
}

export interface HttpOptions {
  readonly clock: Clock
  /** Host names that may be called, over https only. */
  readonly allowedHosts: readonly string[]
  /** The one origin on this machine that may be called, and the only one over plain http: `http://127.0.0.1:8080`. */
  readonly sandboxOrigin?: string
  /** Of a body, as sent and inflated. */
  readonly maxBytes: number
  /** Name look-up, TCP and TLS. */
  readonly connectDeadlineMs?: number
  readonly maxHeaderBytes?: number
  /** The system's resolver, unless a test brings one. */
  readonly resolve?: Resolve
}

/** Sends one request once. Deciding whether a call may be made, what an answer means, and trying again are not its job. */
export interface HttpClient {
  /**
   * Any status but a redirect is an answer.
   * @throws CryptosError CRY_HTTP_HOST, _ADDRESS, _LATE, _TLS, _NETWORK, _TIMEOUT, _TOO_LARGE, _REDIRECT, CRY_ABORTED; it holds no
   * header, key or configuration
   */
  send(call: HttpCall): Promise<HttpAnswer>
  /** Ends idle connections. */
  close(): void
}

export const defaultConnectDeadlineMs = 5 * SECOND
export const defaultMaxHeaderBytes = 16_384

/** The only HTTP client of the product: axios in front, one transport behind, no retry, no redirect, no proxy. */
export function createHttpClient(options: HttpOptions): HttpClient {
  const transport = new Transport(options)
  return {
    async send(call) {
      const url = checkedUrl(call.url, options)
      const sent = (await loadAxios()).request<Uint8Array>({
        url: url.href,
        method: 'get',
        headers: { ...call.headers, ...secretOf(call) },
        transformRequest: [],
        transformResponse: [],
        validateStatus: null,
        adapter: config => transport.send({ ...call, url }, config),
      })
      try {
        const { status, headers, data } = await sent
        const answer = { status, headers: headers as Record<string, string>, body: data }
        return { ...answer, receivedAt: options.clock.now() }
      } catch (error) {
        throw httpError(error, url.host)
      }
    },
    close: () => transport.close(),
  }
}

/** @throws CryptosError CRY_CONFIG_INVALID for a key that no header can carry: axios would cut out what it can not send */
function secretOf({ secretHeader }: HttpCall): Record<string, string> {
  if (!secretHeader) return {}
  const { name, value } = secretHeader
  // `Authorization` has one word and one space before the key (RFC 9110 11.6.2).
  const secret = name.toLowerCase() === 'authorization' ? value.replace(/^[A-Za-z]+ /, '') : value
  if (!/^[\x21-\x7e]+$/.test(secret))
    throw new CryptosError('CRY_CONFIG_INVALID', 'the key is empty or has a character that no key has')
  return { [name]: value }
}

/** @throws CryptosError CRY_HTTP_HOST for all but https to an allowed host on its own port, and the sandbox's origin */
function checkedUrl(text: string, options: HttpOptions): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const refuse = (why: string): never => {
    throw new CryptosError('CRY_HTTP_HOST', `${url?.host ?? 'no host'} is not called: ${why}`)
  }
  if (!url) return refuse('not a URL')
  if (url.username !== '' || url.password !== '') return refuse('a name or password in the URL')
  if (options.sandboxOrigin !== undefined && url.origin === new URL(options.sandboxOrigin).origin) return url
  if (url.protocol !== 'https:') return refuse('only https is allowed')
  if (url.port !== '') return refuse('only the port of https is allowed')
  return options.allowedHosts.includes(url.hostname) ? url : refuse('not on the list of allowed hosts')
}
