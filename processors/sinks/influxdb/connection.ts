import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { HttpError, InfluxDB } from '@influxdata/influxdb-client'
import { toEpochMs } from '../../../core/time.ts'
import { influxError } from './errors.ts'
import { tokenOf } from './options.ts'
import type { InfluxOptions } from './options.ts'
import { readAnswers } from './answers.ts'
import type { Answer } from './answers.ts'

const defaultTimeoutMs = 10_000
/** Points of one series, or rows, in one piece of an answer: a limit of the server's own never cuts an answer in pieces. */
const chunkRows = 5_000
const neverGzip = Number.MAX_SAFE_INTEGER
/** Said at each place, since what is not said the environment may say, such as that any certificate is taken. */
const secure = { rejectUnauthorized: true, minVersion: 'TLSv1.2' } as const
const loopback = ['127.0.0.1', '[::1]', 'localhost']

/** One server: its official client, one pool of sockets, errors of ours. Retrying is not its job. */
export class InfluxConnection {
  readonly options: InfluxOptions
  /** For sentences: host and port. */
  readonly server: string
  readonly #client: InfluxDB
  readonly #agent: HttpAgent
  readonly #gzipThreshold: number
  /** @param gzip whether requests are compressed: over loopback it costs more than it saves */
  constructor(options: InfluxOptions, gzip = !loopback.includes(new URL(options.url).hostname)) {
    this.options = options
    const { protocol, host } = new URL(options.url)
    this.server = host
    this.#gzipThreshold = gzip ? 1_000 : neverGzip
    const timeout = options.timeoutMs ?? defaultTimeoutMs
    this.#agent = agentFor(protocol, options)
    const token = tokenOf(options)
    this.#client = new InfluxDB({
      url: options.url,
      ...(token === undefined ? {} : { token }),
      timeout,
      transportOptions: { agent: this.#agent, ...options.tls, ...secure },
    })
  }

  /**
   * Resolves when the server has these very lines, one below the other, on its disk (its 204): one request, no buffer, no retry. Over
   * the client's transport: its WriteApi would count the bytes of all that it is given, and may put lines of two batches into one request.
   * @throws what the client throws: `refusalOf` tells an answer from none
   */
  async send(lines: string, bucket = this.bucket): Promise<void> {
    const org = encodeURIComponent(this.options.org ?? '')
    const path = `/api/v2/write?org=${org}&bucket=${encodeURIComponent(bucket)}&precision=us`
    let status: number | undefined
    await this.#client.transport.request(
      path,
      lines,
      {
        ...{ method: 'POST', gzipThreshold: this.#gzipThreshold },
        headers: { 'content-type': 'text/plain; charset=utf-8' },
      },
      (_, code) => {
        status = code
      },
    )
    if (status !== 204 && status !== 201)
      throw new HttpError(status ?? 0, `an answer to a write is 204, not ${status}`)
  }

  get bucket(): string {
    const { database, retentionPolicy } = this.options
    return retentionPolicy === undefined ? database : `${database}/${retentionPolicy}`
  }

  /** Answers of the statements, in their order. @throws CryptosError CRY_SERVER_* */
  async query(
    statements: string | readonly string[],
    database = this.options.database,
  ): Promise<readonly Answer[]> {
    const q = typeof statements === 'string' ? statements : statements.join(';\n')
    const path = `/query?db=${encodeURIComponent(database)}&epoch=u&chunked=true&chunk_size=${chunkRows}`
    try {
      const pieces = this.#client.transport.iterate(path, new URLSearchParams({ q }).toString(), {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      })
      return await readAnswers(pieces)
    } catch (error) {
      throw this.error(error)
    }
  }

  /** Version that the server tells; '' = none. @throws CryptosError CRY_SERVER_* */
  async ping(): Promise<string> {
    let version = ''
    try {
      await this.#client.transport.request('/ping', '', { method: 'GET' }, headers => {
        version = String(headers['x-influxdb-version'] ?? '')
      })
    } catch (error) {
      throw this.error(error)
    }
    return version
  }

  error(error: unknown): Error {
    return influxError(error, this.server, toEpochMs(this.options.clock.now()))
  }

  close(): void {
    this.#agent.destroy()
  }
}

/** A socket whose answer did not come in time is closed: the client would leave it open, and its request with it. */
function agentFor(protocol: string, { tls = {} }: InfluxOptions): HttpAgent {
  const agent =
    protocol === 'https:'
      ? new HttpsAgent({ keepAlive: true, ...tls, ...secure })
      : new HttpAgent({ keepAlive: true })
  const connect = agent.createConnection.bind(agent)
  agent.createConnection = (options, callback) => {
    const socket = connect(options, callback)
    socket?.on('timeout', () => socket.destroy())
    return socket
  }
  return agent
}
