import cassandra from 'cassandra-driver'
import { CryptosError } from '../../../core/errors.ts'
import { cassandraError } from './errors.ts'
import { refreshOneAtATime } from './one-refresh.ts'
import { checkOptions, readHosts } from './options.ts'
import type { CassandraOptions } from './options.ts'
import { tlsOf } from './tls.ts'

export type Row = cassandra.types.Row
/** undefined leaves a column as it is: a null would be a tombstone. */
export type Value = string | number | boolean | Buffer | undefined | readonly number[]

export interface Statement {
  readonly query: string
  readonly params: Value[]
}

const { consistencies, responseErrorCodes } = cassandra.types
const common = { prepare: true, isIdempotent: true } as const
const ofBatch = { ...common, logged: false } as const
const pageRows = 1_000

/** Statements of one keyspace over one driver; every error is one of ours. */
export class Session {
  readonly keyspace: string
  /** For messages. */
  readonly server: string
  readonly #client: cassandra.Client
  constructor(client: cassandra.Client, { keyspace, hosts }: Pick<CassandraOptions, 'keyspace' | 'hosts'>) {
    this.#client = client
    this.keyspace = keyspace
    this.server = hosts.join(', ')
  }

  /** Nodes that the driver knows of. */
  get nodes(): number {
    return this.#client.hosts.length
  }

  /** One write or small read. @throws CryptosError CRY_SERVER_* */
  async run({ query, params }: Statement): Promise<readonly Row[]> {
    return await this.#mapped(async () => (await this.#client.execute(query, [...params], common)).rows ?? [])
  }

  /** A statement that may not be repeated blindly: schema, or one with a condition. */
  async runOnce(query: string, params: Value[] = []): Promise<readonly Row[]> {
    const options = {
      prepare: params.length > 0,
      serialConsistency: consistencies.localSerial,
      readTimeout: 30_000,
    }
    return await this.#mapped(async () => (await this.#client.execute(query, params, options)).rows ?? [])
  }

  /** Statements of one partition, as one mutation: all of them or none. */
  async batch(statements: readonly Statement[]): Promise<void> {
    const [only, ...more] = statements
    if (!only) return
    if (more.length === 0) await this.run(only)
    else await this.#mapped(() => this.#client.batch([...statements], ofBatch))
  }

  /** All rows of a statement, page by page. */
  async *pages(query: string, params: Value[]): AsyncIterable<Row> {
    let pageState: string | undefined
    do {
      const options = { ...common, fetchSize: pageRows, ...(pageState === undefined ? {} : { pageState }) }
      const page = await this.#mapped(() => this.#client.execute(query, [...params], options))
      yield* page.rows
      pageState = page.pageState ?? undefined
    } while (pageState !== undefined)
  }

  async close(): Promise<void> {
    await this.#client.shutdown()
  }

  async #mapped<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (isUnprepared(error) && (await this.#isGone()))
        throw new CryptosError(
          'CRY_SERVER_CONFIG',
          `Cassandra at ${this.server} has no keyspace ${this.keyspace} any more: start again to make it anew`,
        )
      throw cassandraError(error, this.server)
    }
  }

  /** The driver only tells that a statement can not be prepared again, which a slow server may cause as well. */
  async #isGone(): Promise<boolean> {
    const query = 'SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name=?'
    try {
      return (await this.#client.execute(query, [this.keyspace], common)).rows.length === 0
    } catch (error) {
      throw cassandraError(error, this.server)
    }
  }
}

const isUnprepared = (error: unknown): boolean =>
  error instanceof cassandra.errors.NoHostAvailableError &&
  Object.values(error.innerErrors as Readonly<Record<string, { readonly code?: unknown }>>).some(
    inner => inner.code === responseErrorCodes.unprepared,
  )

/** What the driver is told; see docs/how-to/cassandra.md. */
function clientOptions(options: CassandraOptions): cassandra.DseClientOptions {
  const hosts = readHosts(options.hosts)
  return {
    contactPoints: [...options.hosts],
    localDataCenter: options.datacenter,
    // Without it the nodes that are found through the first ones are looked for at 9042.
    protocolOptions: { port: hosts[0].port, maxSchemaAgreementWaitSeconds: 30 },
    queryOptions: { consistency: consistencies.localQuorum },
    policies: {
      reconnection: new cassandra.policies.reconnection.ExponentialReconnectionPolicy(200, 2_000, false),
    },
    socketOptions: { connectTimeout: 2_000, readTimeout: 8_000 },
    pooling: { heartBeatInterval: 5_000 },
    monitorReporting: { enabled: false },
    ...(options.tls ? { sslOptions: tlsOf(options.tls, hosts) } : {}),
    ...(options.login
      ? {
          authProvider: new cassandra.auth.PlainTextAuthProvider(
            options.login.username,
            options.login.password,
          ),
        }
      : {}),
  }
}

/** Connects; a server that is not there is told at once. @throws CryptosError CRY_SERVER_*, CRY_CONFIG_INVALID */
export async function openSession(options: CassandraOptions): Promise<Session> {
  checkOptions(options)
  const client = new cassandra.Client(clientOptions(options))
  refreshOneAtATime(client)
  try {
    await client.connect()
  } catch (error) {
    await client.shutdown()
    throw cassandraError(error, options.hosts.join(', '))
  }
  return new Session(client, options)
}
