import { HttpError } from '@influxdata/influxdb-client'
import { CryptosError, isCryptosError, isTooManyFiles } from '../../../core/errors.ts'
import type { ErrorCode } from '../../../core/errors.ts'

/** What the server answered: its status, and its own sentence (`error` in 1.x, `message` in 2.x). */
export interface Refusal {
  readonly status: number
  readonly text: string
  readonly retryAfter: string | undefined
}

interface Said {
  readonly code: ErrorCode
  readonly what: string
}

/** What a failed verification of a certificate is called by Node and OpenSSL. */
const certificateWord = /CERT|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)|ALTNAME|HANDSHAKE|SSL|TLS/
const full = /no space left on device|disk quota exceeded/i

/** The refusal that an error of the client stands for; undefined = there was no answer. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!(error instanceof HttpError)) return undefined
  const json = error.json as { readonly error?: unknown; readonly message?: unknown } | undefined
  const own = json?.error ?? json?.message
  const text = typeof own === 'string' ? own : (error.body ?? '')
  const retryAfter = error.headers?.['retry-after']
  return {
    status: error.statusCode,
    text,
    retryAfter: retryAfter === undefined ? undefined : String(retryAfter),
  }
}

/** The server's words in one line. */
export const words = (text: string): string => text.replace(/\s+/g, ' ').trim().slice(0, 300)

/** `Retry-After` is in whole seconds, or a date. Milliseconds since the epoch; undefined = not told. */
export function retryAtMs(retryAfter: string | undefined, nowMs: number): number | undefined {
  if (retryAfter === undefined) return undefined
  if (/^\d{1,6}$/.test(retryAfter.trim())) return nowMs + Number(retryAfter) * 1_000
  const at = Date.parse(retryAfter)
  return Number.isFinite(at) ? at : undefined
}

/** A refusal as one of our errors: one sentence that names the server and says what to do. No secret is in it. */
export function refusalError(refusal: Refusal, server: string, nowMs: number): CryptosError {
  const { code, what } = saidBy(refusal)
  const at = retryAtMs(refusal.retryAfter, nowMs)
  return new CryptosError(code, `InfluxDB at ${server} ${what}`, at === undefined ? {} : { retryAtMs: at })
}

function saidBy({ status, text }: Refusal): Said {
  const told = text === '' ? `${status}` : `${status} ${words(text)}`
  if (status === 401) return { code: 'CRY_SERVER_REFUSED', what: `refuses user, password or token: ${told}` }
  if (status === 403)
    return { code: 'CRY_SERVER_REFUSED', what: `refuses the right to do it, grant it to the user: ${told}` }
  if (/(?:database|bucket|retention policy) .*not found|not found: /i.test(text))
    return {
      code: 'CRY_SERVER_CONFIG',
      what: `lacks what is asked for, make it or correct the setting: ${told}`,
    }
  if (full.test(text)) return { code: 'CRY_DISK_FULL', what: `has no space left: ${told}` }
  if (status === 429 || status === 503 || /cache-max-memory-size exceeded/.test(text))
    return { code: 'CRY_SERVER_BUSY', what: `asks for patience: ${told}` }
  if (status >= 500)
    return { code: 'CRY_SERVER_UNREACHABLE', what: `failed inside, look at its log: ${told}` }
  if (status === 408 || /unexpected EOF/.test(text))
    return { code: 'CRY_SERVER_UNREACHABLE', what: `did not get the request in time: ${told}` }
  if (status >= 300 && status < 400)
    return {
      code: 'CRY_SERVER_CONFIG',
      what: `answers with a redirect: set the address it leads to (${told})`,
    }
  return { code: 'CRY_SERVER_CONFIG', what: `refuses what was asked, check address and version: ${told}` }
}

/** Anything that the client threw as one of our errors. */
export function influxError(error: unknown, server: string, nowMs: number): CryptosError {
  if (isCryptosError(error)) return error
  const refusal = refusalOf(error)
  if (refusal) return refusalError(refusal, server, nowMs)
  const { code, what } = saidByNetwork((error ?? {}) as NodeJS.ErrnoException)
  return new CryptosError(
    code,
    `InfluxDB at ${server} ${what}`,
    error instanceof Error ? { cause: error } : {},
  )
}

function saidByNetwork(error: NodeJS.ErrnoException): Said {
  const code = String(error.code ?? '')
  const why = words(error.message || code)
  if (error.name === 'RequestTimedOutError')
    return { code: 'CRY_SERVER_UNREACHABLE', what: 'did not answer in time' }
  if (isTooManyFiles(error)) return { code: 'CRY_TOO_MANY_FILES', what: `can not be asked: ${why}` }
  if (certificateWord.test(code))
    return { code: 'CRY_SERVER_REFUSED', what: `can not be trusted (TLS): ${why}` }
  return { code: 'CRY_SERVER_UNREACHABLE', what: `can not be reached: ${why}` }
}
