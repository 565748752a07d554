import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { CryptosError, isCryptosError } from '../../../core/errors.ts'
import type { TlsOptions } from '../../../core/server.ts'
import { SECOND } from '../../../core/time.ts'
import { isConflict, isLostConnection, mapPgError } from './errors.ts'

export interface ServerOptions {
  /** `postgresql://user[:password]@host[:port]/database` */
  readonly url: string
  /** Counts before that of the URL. */
  readonly password?: string
  /** Given = the connection is encrypted and the certificate verified. */
  readonly tls?: TlsOptions
  /** Of the server: it keeps sandbox and live data apart. Made where it is missing. */
  readonly schema: string
}

/** How long what may take on the server's side; the client gives up a little later. */
const limits = {
  connectMs: 5 * SECOND,
  statementMs: 8 * SECOND,
  lockMs: 6 * SECOND,
  idleMs: 5 * SECOND,
  queryMs: 10 * SECOND,
}
/** One writes, the others read for people. */
const connections = 3

/** Said, because what the environment says (that any certificate is taken, an older TLS) holds where nothing is. */
const verified = { rejectUnauthorized: true, minVersion: 'TLSv1.2' } as const

/** A server that is down for longer is no affair of one question. */
const retryWithinMs = 1_000
const pauseMs = 50

export type Row = Record<string, unknown>
export type Session = pg.PoolClient

/** A few connections to one server, made when they are wanted. Every error is a CryptosError that names the server. */
export class Server {
  /** Without user and password. */
  readonly name: string
  readonly schema: string
  readonly #pool: pg.Pool

  /** @throws CryptosError CRY_CONFIG_INVALID */
  constructor(options: ServerOptions) {
    const config = settingsOf(options)
    this.schema = options.schema
    this.name = `postgresql://${config.host}:${config.port}/${config.database}`
    this.#pool = new pg.Pool(config)
    // The pool drops a connection that broke while it was idle. Without a listener the process would end.
    this.#pool.on('error', ignored)
    this.#pool.on('connect', client => client.on('error', ignored))
  }

  /** Runs `work` on one connection, which is closed where it failed. */
  async session<T>(work: (session: Session) => Promise<T>): Promise<T> {
    let session: Session | undefined
    try {
      session = await this.#pool.connect()
      const result = await work(session)
      session.release()
      return result
    } catch (error) {
      session?.release(true)
      throw mapPgError(error, this.name)
    }
  }

  /** The same, again on another connection where one was lost, or another process was met: for work that may be done twice. */
  async patiently<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const giveUpAt = performance.now() + retryWithinMs
    for (;;) {
      try {
        return await this.session(work)
      } catch (error) {
        const isOver = performance.now() >= giveUpAt
        if (isOver || !isCryptosError(error) || !(isLostConnection(error) || isConflict(error))) throw error
        await sleep(pauseMs)
      }
    }
  }

  /** Of a statement that reads. */
  rows(sql: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    return this.patiently(async session => (await session.query<Row>(sql, [...values])).rows)
  }

  async close(): Promise<void> {
    if (!this.#pool.ending) await this.#pool.end()
  }
}

/** What broke is told to whoever waits for an answer. */
const ignored = (): void => undefined

function settingsOf({
  url,
  password,
  tls,
  schema,
}: ServerOptions): pg.PoolConfig & { host: string; database: string } {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const database = decodeURIComponent(parsed?.pathname.slice(1) ?? '')
  if (
    !parsed ||
    !/^postgres(ql)?:$/.test(parsed.protocol) ||
    parsed.hostname === '' ||
    parsed.username === '' ||
    database === ''
  )
    throw invalid('the URL of the quota ledger must be postgresql://user@host:port/database')
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema))
    throw invalid(`the schema of the quota ledger must be a plain name of small letters, not "${schema}"`)
  const secret = password ?? decodeURIComponent(parsed.password)
  return {
    host: parsed.hostname.replaceAll(/[[\]]/g, ''),
    port: Number(parsed.port || 5432),
    user: decodeURIComponent(parsed.username),
    // A function: the pool keeps its settings, and an error that shows them must not show this.
    password: () => secret,
    database,
    ssl: tls || wantsTls(parsed) ? { ...tls, ...verified } : false,
    max: connections,
    idleTimeoutMillis: 30 * SECOND,
    connectionTimeoutMillis: limits.connectMs,
    query_timeout: limits.queryMs,
    keepAlive: true,
    application_name: 'cryptos',
    // A commit is durable before a byte is sent (rule 1), whatever the server's default. A process that hangs gives its lock back.
    options: [
      'synchronous_commit=on',
      `search_path=${schema}`,
      `statement_timeout=${limits.statementMs}`,
      `lock_timeout=${limits.lockMs}`,
      `idle_in_transaction_session_timeout=${limits.idleMs}`,
    ]
      .map(setting => `-c ${setting}`)
      .join(' '),
  }
}

const wantsTls = (url: URL): boolean =>
  ['require', 'verify-ca', 'verify-full'].includes(url.searchParams.get('sslmode') ?? '')

const invalid = (message: string): CryptosError => new CryptosError('CRY_CONFIG_INVALID', message)
