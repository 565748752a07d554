import { CryptosError, type ErrorCode, isCryptosError } from '../../../core/errors.ts'

/** By SQLSTATE, or its first two characters. Appendix A of the server's manual. */
const byState: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  '22': ['CRY_VALUE_INVALID', 'refuses a value'],
  '28': ['CRY_SERVER_REFUSED', 'refuses the user or the password: correct them'],
  '42501': ['CRY_SERVER_REFUSED', 'does not allow it to this user: grant the right'],
  '3D000': ['CRY_SERVER_CONFIG', 'has no such database: create it'],
  '3F000': ['CRY_SERVER_CONFIG', 'has lost the schema of the ledger: restore it'],
  '42P01': ['CRY_SERVER_CONFIG', 'has lost a table of the ledger: restore it'],
  '53100': ['CRY_DISK_FULL', 'has no space left on its disk: free some'],
  '53300': ['CRY_LEDGER_UNAVAILABLE', 'has no free connection: raise max_connections or run fewer processes'],
  '25006': ['CRY_LEDGER_UNAVAILABLE', 'is read-only: connect to the primary server'],
  '55P03': ['CRY_STORE_BUSY', 'is held by another process longer than the deadline'],
  '57014': ['CRY_STORE_BUSY', 'did not do a statement in time'],
  '40': ['CRY_STORE_BUSY', 'met another process at the same work'],
  '57P03': ['CRY_LEDGER_UNAVAILABLE', 'is starting or stopping: it is tried again'],
  XX001: ['CRY_STORE_CORRUPT', 'says that its data are damaged: restore them'],
  XX002: ['CRY_STORE_CORRUPT', 'says that an index is damaged: REINDEX it'],
}

const isTls = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(GET|VERIFY))/

/** One sentence that names the server, never a secret. What is thrown at run time is what the port of the ledger promises. */
export function mapPgError(error: unknown, server: string): CryptosError {
  if (isCryptosError(error)) return error
  const cause = error instanceof Error ? error : new Error(String(error))
  const state = String((cause as NodeJS.ErrnoException).code ?? '')
  const known = byState[state] ?? (state.length === 5 ? byState[state.slice(0, 2)] : undefined)
  const say = (code: ErrorCode, what: string): CryptosError =>
    new CryptosError(code, `the quota ledger at ${server} ${what}`, { cause })
  if (known) return say(known[0], `${known[1]} (${state}: ${oneLine(cause.message)})`)
  if (isTls.test(state))
    return say('CRY_SERVER_REFUSED', `has a certificate that can not be trusted (${state})`)
  if (/does not support SSL/.test(cause.message))
    return say(
      'CRY_SERVER_CONFIG',
      'does not speak TLS: turn it on there, or take the certificates out of the settings',
    )
  if (/SASL|password/.test(cause.message))
    return say('CRY_SERVER_REFUSED', 'wants a password, and none that it takes was given')
  return say(
    'CRY_LEDGER_UNAVAILABLE',
    `can not be used (${state || oneLine(cause.message)}): start it or correct its address`,
  )
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').slice(0, 200)

/** Whether the connection, and with it a transaction, came to an end that says nothing about the work in it. */
export const isLostConnection = (error: CryptosError): boolean => error.code === 'CRY_LEDGER_UNAVAILABLE'

/** Whether the server has stepped back so that another may go on: the same again can do. */
export const isConflict = (error: CryptosError): boolean =>
  error.code === 'CRY_STORE_BUSY' && /\(40/.test(error.message)
