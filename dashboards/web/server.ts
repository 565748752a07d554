import { getRequestListener } from '@hono/node-server'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { CryptosError, toCryptosError } from '../../core/errors.ts'
import type { Clock } from '../../core/ports/clock.ts'
import type { ChangeFeed, MarketReader, QuoteReader, StatusReader } from '../../core/ports/reader.ts'
import { makeApi } from './api.ts'
import { loadFiles } from './files.ts'
import { checkExposure, type GuardPolicy, guard, hostInUrl, makePolicy, type Refusal } from './guard.ts'
import { securityHeaders } from './headers.ts'
import { defaultWebLimits, RateLimit, type WebLimits } from './limits.ts'
import { Live } from './live.ts'

export interface WebOptions {
  /** 0 = any free one. */
  readonly port: number
  /** Default `127.0.0.1`. One that other machines can reach needs a token. */
  readonly host?: string
  /** Asked of every request, as Bearer or as the password of basic authentication. 16 to 256 characters. */
  readonly token?: string
  /** Further values of the Host header that are ours, with their port: `prices.example:443` behind a proxy. */
  readonly allowedHosts?: readonly string[]
  readonly reader: QuoteReader
  readonly market: MarketReader
  readonly status: StatusReader
  readonly feed: ChangeFeed
  readonly clock: Clock
  /** The sentence of the banner where the data are simulated, else null. */
  readonly simulated: string | null
  readonly version: string
  /** What an operator should know; never a token. */
  readonly log?: (line: string) => void
  readonly limits?: Partial<WebLimits>
}

export interface Web {
  readonly url: string
  readonly port: number
  /** Ends open event streams within 300 ms. The reader stays open: it is the caller's. */
  close(): Promise<void>
}

/** How long open answers may take to end by themselves. */
const graceMs = 200

/**
 * Starts the page and the Web API over the given readers.
 * @throws CryptosError CRY_PORT_IN_USE, or CRY_CONFIG_INVALID for a host, port or token that can not be used
 */
export async function startWeb(options: WebOptions): Promise<Web> {
  const { host = '127.0.0.1', clock, log = () => undefined } = options
  const limits = { ...defaultWebLimits, ...options.limits }
  checkExposure(host, options.token)
  const server = createServer({
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.headersTimeoutMs,
    connectionsCheckingInterval: limits.connectionCheckMs,
    keepAliveTimeout: limits.headersTimeoutMs,
  })
  server.maxConnections = limits.maxConnections
  server.setTimeout(limits.idleTimeoutMs)
  const files = loadFiles(options.simulated)
  await listen(server, options.port, host)
  const live = new Live({ ...options, log })
  const port = portOf(server)
  const policy = makePolicy({
    host,
    port,
    token: options.token,
    allowedHosts: options.allowedHosts ?? [],
    maxUrlLength: limits.maxUrlLength,
  })
  const api = makeApi({ ...options, ...limits, log, live, files })
  const answer = getRequestListener(api.fetch, { overrideGlobalObjects: false })
  const rate = new RateLimit(limits, clock.monotonicMs())
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const refusal = check(request, policy) ?? checkRate(rate.allows(request.socket, clock.monotonicMs()))
    for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value)
    if (refusal) refuse(response, refusal)
    else void answer(request, response)
  })
  return { url: `http://${hostInUrl(host)}:${port}/`, port, close: () => closeWeb(server, live) }
}

const check = (request: IncomingMessage, policy: GuardPolicy): Refusal | undefined =>
  guard({ method: request.method ?? '', target: request.url ?? '', headers: request.headers }, policy)

const checkRate = (allowed: boolean): Refusal | undefined =>
  allowed
    ? undefined
    : { status: 429, code: 'WEB_RATE', message: 'too many requests', headers: { 'retry-after': '1' } }

/** Answers and hangs up: a refused client's body or next request is not waited for. */
function refuse(response: ServerResponse, { status, code, message, headers }: Refusal): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    connection: 'close',
    ...headers,
  })
  response.end(JSON.stringify({ error: { code, message } }))
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  try {
    server.listen({ port, host, exclusive: true }, resolve)
    await promise
  } catch (error) {
    throw listenError(error, port, host)
  } finally {
    server.off('error', reject)
  }
}

function listenError(cause: unknown, port: number, host: string): CryptosError {
  const code = (cause as NodeJS.ErrnoException).code
  if (code === 'EADDRINUSE')
    return new CryptosError(
      'CRY_PORT_IN_USE',
      `port ${port} is in use: choose another with --port or CRYPTOS_PORT`,
      { cause },
    )
  if (code === 'EACCES')
    return new CryptosError('CRY_CONFIG_INVALID', `port ${port} is reserved: choose one from 1024 on`, {
      cause,
    })
  if (code === 'ERR_SOCKET_BAD_PORT')
    return new CryptosError('CRY_CONFIG_INVALID', 'the port must be a whole number from 0 to 65535', {
      cause,
    })
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return new CryptosError('CRY_CONFIG_INVALID', `${host} is no address of this machine: use 127.0.0.1`, {
      cause,
    })
  return toCryptosError(cause)
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}

async function closeWeb(server: Server, live: Live): Promise<void> {
  live.close()
  const closed = new Promise<void>(resolve => server.close(() => resolve()))
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), graceMs)
  await closed
  clearTimeout(timer)
}
