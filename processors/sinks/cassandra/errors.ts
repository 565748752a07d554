import { CryptosError, isCryptosError, isTooManyFiles } from '../../../core/errors.ts'
import type { ErrorCode } from '../../../core/errors.ts'

interface Said {
  readonly code: ErrorCode
  readonly what: string
}

/** Codes of the native protocol, by what is to be done about them. */
const answers: ReadonlyMap<number, Said> = new Map([
  [0x0000, { code: 'CRY_SERVER_UNREACHABLE', what: 'failed inside: look at its log' }],
  [0x0100, { code: 'CRY_SERVER_REFUSED', what: 'refuses user or password' }],
  [0x1000, { code: 'CRY_SERVER_UNREACHABLE', what: 'has too few nodes up for a quorum: start them' }],
  [0x1001, { code: 'CRY_SERVER_BUSY', what: 'is overloaded' }],
  [0x1002, { code: 'CRY_SERVER_BUSY', what: 'is still starting' }],
  [0x1100, { code: 'CRY_SERVER_UNREACHABLE', what: 'did not confirm a write in time' }],
  [0x1200, { code: 'CRY_SERVER_UNREACHABLE', what: 'did not answer a read in time' }],
  [0x1300, { code: 'CRY_SERVER_UNREACHABLE', what: 'failed to read: look at its log' }],
  [0x1500, { code: 'CRY_SERVER_UNREACHABLE', what: 'failed to write: look at its log and its disk' }],
  [
    0x2000,
    { code: 'CRY_SERVER_CONFIG', what: 'does not understand a statement: its version may be too old' },
  ],
  [0x2100, { code: 'CRY_SERVER_REFUSED', what: 'refuses the right to do it: grant it to the user' }],
  [0x2200, { code: 'CRY_SERVER_CONFIG', what: 'lacks what is asked for' }],
  [0x2300, { code: 'CRY_SERVER_CONFIG', what: 'refuses the settings of the keyspace or a table' }],
])

/** What a failed verification of a certificate is called by Node and OpenSSL. */
const certificateWord = /CERT|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)|ALTNAME|HANDSHAKE|SSL|TLS/

/**
 * The server reads users and rights out of its own tables. When that read times out, it answers with the code of a refusal, which is
 * no word about the user: it goes by again.
 */
const couldNotCheck = /^Unable to perform (?:authentication|authorization)/
const unchecked: Said = {
  code: 'CRY_SERVER_UNREACHABLE',
  what: 'could not look its users up in time: it is overloaded, or too few of its nodes are up',
}

/** The parts of the driver's errors that are looked at. */
interface DriverError {
  readonly name?: string
  readonly message?: string
  readonly code?: unknown
  readonly innerErrors?: Readonly<Record<string, unknown>>
}

/**
 * An error of the driver as one of ours: one sentence that names the server. The server's own words are added where they say what
 * is missing; a password is in none of them.
 */
export function cassandraError(error: unknown, server: string): CryptosError {
  if (isCryptosError(error)) return error
  const { code, what } = said((error ?? {}) as DriverError)
  const details = error instanceof Error ? { cause: error } : {}
  return new CryptosError(code, `Cassandra at ${server} ${what}`, details)
}

function said(error: DriverError): Said {
  if (couldNotCheck.test(error.message ?? '')) return unchecked
  switch (error.name) {
    case 'ResponseError':
      return answered(error)
    case 'AuthenticationError':
      return { code: 'CRY_SERVER_REFUSED', what: `refuses user or password: ${words(error)}` }
    case 'OperationTimedOutError':
      return { code: 'CRY_SERVER_UNREACHABLE', what: 'did not answer in time' }
    case 'BusyConnectionError':
      return { code: 'CRY_SERVER_BUSY', what: 'has too many requests on one connection' }
    case 'NoHostAvailableError':
      return noHost(error)
    case 'ArgumentError':
      return { code: 'CRY_SERVER_CONFIG', what: `does not fit the settings: ${words(error)}` }
    default:
      return other(error)
  }
}

function answered(error: DriverError): Said {
  const known = answers.get(Number(error.code))
  if (!known) return { code: 'CRY_INTERNAL', what: `answered what was not expected: ${words(error)}` }
  return known.code === 'CRY_SERVER_BUSY' ? known : { ...known, what: `${known.what}: ${words(error)}` }
}

/** One refusal of any node is what there is to correct; else the nodes are not there. */
function noHost({ innerErrors = {}, message }: DriverError): Said {
  const all = Object.values(innerErrors).map(inner => said((inner ?? {}) as DriverError))
  const worst = ['CRY_SERVER_REFUSED', 'CRY_SERVER_CONFIG', 'CRY_TOO_MANY_FILES', 'CRY_SERVER_BUSY']
  for (const code of worst) {
    const found = all.find(one => one.code === code)
    if (found) return found
  }
  const why = all[0]?.what ?? `can not be reached: ${words({ message: message ?? '' })}`
  return { code: 'CRY_SERVER_UNREACHABLE', what: why }
}

function other(error: DriverError): Said {
  const code = String(error.code ?? '')
  if (isTooManyFiles(error)) return { code: 'CRY_TOO_MANY_FILES', what: 'can not be asked: no more files' }
  if (certificateWord.test(code))
    return { code: 'CRY_SERVER_REFUSED', what: `can not be trusted (TLS): ${words(error)}` }
  if (error.name === 'DriverInternalError' || /shutdown|shut down/i.test(error.message ?? ''))
    return { code: 'CRY_SERVER_UNREACHABLE', what: `can not be asked: ${words(error)}` }
  if (code.startsWith('E') || /socket|connect|host/i.test(error.message ?? ''))
    return { code: 'CRY_SERVER_UNREACHABLE', what: `can not be reached: ${words(error)}` }
  return { code: 'CRY_INTERNAL', what: `could not be asked: ${words(error)}` }
}

const words = ({ message = '' }: DriverError): string => message.replace(/\s+/g, ' ').slice(0, 300).trim()
