/** What the program does about an error; see `classify`. */
export type Reaction = 'retry' | 'wait' | 'dead-letter' | 'stop'

interface ErrorKind {
  readonly reaction: Reaction
  readonly meaning: string
  readonly remedy: string
  /** Of a command that ends with it: 2 = never to be retried as it is, 1 = worth a retry. */
  readonly exit: 1 | 2
}

const kind = (
  reaction: Reaction,
  meaning: string,
  remedy: string,
  exit: 1 | 2 = reaction === 'stop' ? 2 : 1,
): ErrorKind => ({ reaction, meaning, remedy, exit })

/** The closed list. `docs/reference/errors.md` is generated from it. */
export const errorKinds = {
  CRY_ABORTED: kind('retry', 'The work was told to stop before it was done', 'Run it again'),
  CRY_CONFIG_INVALID: kind(
    'stop',
    'A setting is unknown or has a wrong value',
    'Correct the setting that the message names',
  ),
  CRY_DISK_FULL: kind(
    'retry',
    'The disk or its quota is full',
    'Free space and run it again; nothing was lost',
  ),
  CRY_HTTP_ADDRESS: kind(
    'stop',
    'A host name leads to a private or local address',
    'Check DNS and proxies; set the right host',
  ),
  CRY_HTTP_HOST: kind(
    'stop',
    'The URL is not on the list of allowed hosts',
    'Use the host that the provider documents',
  ),
  CRY_HTTP_LATE: kind(
    'retry',
    'The permit had run out before the request was written; nothing was sent',
    'Run it again',
  ),
  CRY_HTTP_NETWORK: kind('retry', 'The connection failed or was cut', 'Check the network; run it again'),
  CRY_HTTP_REDIRECT: kind(
    'retry',
    'The provider answered with a redirect, which is never followed',
    'Look whether the provider moved its API',
  ),
  CRY_HTTP_TIMEOUT: kind(
    'retry',
    'The whole answer did not come in time',
    'Run it again; the permit stays charged until the provider says otherwise',
  ),
  CRY_HTTP_TLS: kind(
    'stop',
    'The certificate of the host could not be verified',
    'Check clock, proxy and certificates; verification can not be turned off',
  ),
  CRY_HTTP_TOO_LARGE: kind(
    'retry',
    'The answer is larger than allowed',
    'Raise CRYPTOS_HTTP_MAX_BYTES if the size is right',
  ),
  CRY_INTERNAL: kind('retry', 'An unexpected error: a defect in this program', 'Report it with the log'),
  CRY_LEDGER_UNAVAILABLE: kind(
    'retry',
    'The quota ledger can not be read or written, so no call is made',
    'See the reason in the message',
  ),
  CRY_OFFSET_OUT_OF_RANGE: kind(
    'retry',
    'A consumer asked for records that retention has removed',
    'Look at the gap and raise the retention',
  ),
  CRY_PORT_IN_USE: kind(
    'stop',
    'Another program listens on the port',
    'Choose another with --port or CRYPTOS_PORT',
  ),
  CRY_PROVIDER_PAYLOAD: kind(
    'dead-letter',
    'The answer does not have the documented shape',
    'cryptos dlq show; report it',
  ),
  CRY_RECORD_INVALID: kind('dead-letter', 'A message in a topic is not a valid record', 'cryptos dlq show'),
  CRY_SECRET_FILE: kind(
    'stop',
    'A file with a secret is missing, unreadable or readable by others',
    'Correct the path of the file that the message names, or chmod 600 it',
  ),
  CRY_SERVER_BUSY: kind('wait', 'A store or broker asked for patience', 'Nothing: it is tried again'),
  CRY_SERVER_CONFIG: kind(
    'stop',
    'A broker or database runs, but lacks what is wanted of it: a keyspace, topic, retention policy or setting',
    'Do what the message says on that server, or correct the setting that it names',
  ),
  CRY_SERVER_REFUSED: kind(
    'stop',
    'A broker or database refuses the user, the password, the certificate or the right to do it',
    'Correct user, password or grants; the message names the server',
  ),
  CRY_SERVER_UNREACHABLE: kind(
    'retry',
    'A broker or database can not be reached, or did not answer in time',
    'Start the server or correct its address; nothing was lost',
  ),
  CRY_STORE_BROKEN: kind(
    'stop',
    'The disk failed under a database: its handle can not be used again',
    'Check the disk, then start again; what was acknowledged is kept',
    1,
  ),
  CRY_STORE_BUSY: kind(
    'retry',
    'Another process holds the database longer than the deadline',
    'Look for a hung process on the same data folder',
  ),
  CRY_STORE_CORRUPT: kind(
    'stop',
    'A database file is damaged',
    'Restore it, or move the data folder away and start anew',
  ),
  CRY_STORE_LOCKED: kind(
    'stop',
    'Another cryptos runs on the same data folder',
    'Stop it, or set another CRYPTOS_DATA_DIR',
  ),
  CRY_STORE_NEWER: kind('stop', 'The database was written by a newer version', 'Update cryptos'),
  CRY_STORE_UNWRITABLE: kind(
    'stop',
    'The data folder can not be created or written',
    'Correct its permissions or set CRYPTOS_DATA_DIR',
  ),
  CRY_TOO_MANY_FILES: kind(
    'retry',
    'The process or the system may open no more files',
    'Raise the limit of open files (ulimit -n 1024) and run it again; nothing was lost',
  ),
  CRY_USAGE: kind('stop', 'The command line is wrong', 'cryptos --help'),
  CRY_VALUE_INVALID: kind(
    'dead-letter',
    'A value is not what its type promises',
    'Correct the value that the message names',
  ),
} as const satisfies Record<string, ErrorKind>

export type ErrorCode = keyof typeof errorKinds

export interface ErrorDetails extends ErrorOptions {
  /** Set when the program knows from when on another try makes sense. */
  readonly retryAtMs?: number
  /** Of a sink that has stored a batch but for some of its records. */
  readonly partial?: PartialStore
}

/** What became of a batch of which some records are wrong. All others are stored. */
export interface PartialStore {
  readonly written: number
  readonly superseded: number
  /** By place in the batch, with the reason. */
  readonly refused: ReadonlyMap<number, string>
}

/** The only error class of the product: a code of the closed list and one clear sentence. Never holds a secret. */
export class CryptosError extends Error {
  readonly code: ErrorCode
  readonly retryAtMs: number | undefined
  readonly partial: PartialStore | undefined
  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'CryptosError'
    this.code = code
    this.retryAtMs = details.retryAtMs
    this.partial = details.partial
  }
}

export const isCryptosError = (error: unknown): error is CryptosError => error instanceof CryptosError

/** Node's own errors about a file or a thread hold the system's word in their text only. */
const systemWord = /\b(?:EMFILE|ENFILE)\b|too many open files/

/** Whether an error of the system, or of Node about one, is that no more files may be opened. */
export function isTooManyFiles(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { readonly code?: unknown; readonly message?: unknown }
  if (code === 'EMFILE' || code === 'ENFILE') return true
  return typeof code === 'string' && code.startsWith('ERR_') && systemWord.test(String(message))
}

/** Turns anything thrown into a CryptosError: system errors get their own code, the rest is CRY_INTERNAL. */
export function toCryptosError(error: unknown): CryptosError {
  if (isCryptosError(error)) return error
  const cause = error instanceof Error ? error : new Error(String(error))
  if (cause.name === 'AbortError')
    return new CryptosError('CRY_ABORTED', 'stopped before it was done', { cause })
  const systemCode = (cause as NodeJS.ErrnoException).code
  if (systemCode === 'ENOSPC' || systemCode === 'EDQUOT')
    return new CryptosError('CRY_DISK_FULL', cause.message, { cause })
  if (isTooManyFiles(cause)) return new CryptosError('CRY_TOO_MANY_FILES', cause.message, { cause })
  if (systemCode === 'EADDRINUSE') return new CryptosError('CRY_PORT_IN_USE', cause.message, { cause })
  if (systemCode === 'EACCES' || systemCode === 'EROFS' || systemCode === 'EPERM')
    return new CryptosError('CRY_STORE_UNWRITABLE', cause.message, { cause })
  return new CryptosError('CRY_INTERNAL', cause.message, { cause })
}

/** The one place that decides what is done about an error. */
export const classify = (error: unknown): Reaction => errorKinds[toCryptosError(error).code].reaction
