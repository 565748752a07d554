import { checkServerIdentity } from 'node:tls'
import type { ConnectionOptions } from 'node:tls'
import cassandra from 'cassandra-driver'
import type { TlsOptions } from '../../../core/server.ts'
import { cassandraError } from './errors.ts'
import { checkOptions, readHosts } from './options.ts'
import type { CassandraOptions, HostAndPort } from './options.ts'

export type Row = cassandra.types.Row
/** undefined leaves a column as it is: a null would be a tombstone. */
export type Value = string | number | boolean | Buffer | undefined | readonly number[]

export interface Statement {
  readonly query: string
  readonly params: Value[]
}

const { consistencies } = cassandra.types
const common = { prepare: true, isIdempotent: true } as const
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
    else await this.#mapped(() => this.#client.batch([...statements], { ...common, logged: false }))
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
      throw cassandraError(error, this.server)
    }
  }
}

/** The certificate is for the node's address, or for one of the hosts by their names in the settings. */
const identityOf =
  (hosts: readonly HostAndPort[]): NonNullable<ConnectionOptions['checkServerIdentity']> =>
  (address, certificate) => {
    const problem = checkServerIdentity(address, certificate)
    return hosts.some(({ host }) => checkServerIdentity(host, certificate) === undefined)
      ? undefined
      : problem
  }

/** The driver trusts any certificate unless it is told not to. */
const tlsOf = (tls: TlsOptions, hosts: readonly HostAndPort[]): ConnectionOptions => ({
  ...tls,
  rejectUnauthorized: true,
  minVersion: 'TLSv1.2',
  checkServerIdentity: identityOf(hosts),
})

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
  try {
    await client.connect()
  } catch (error) {
    await client.shutdown()
    throw cassandraError(error, options.hosts.join(', '))
  }
  return new Session(client, options)
}
