import { lookup } from 'node:dns/promises'
import type { Agent, ClientRequest, RequestOptions } from 'node:http'
import { isIP, type LookupFunction, type Socket } from 'node:net'
import { CryptosError } from '../core/errors.ts'
import { SECOND } from '../core/time.ts'
import { isForbiddenAddress, isLoopback, type Resolve, type ResolvedAddress } from './http-address.ts'
import { defaultConnectDeadlineMs, type HttpOptions } from './http.ts'

type Requester = (url: URL, options: RequestOptions) => ClientRequest

const systemResolve: Resolve = hostname => lookup(hostname, { all: true })

/**
 * Opens connections: to addresses that were checked after the name look-up (the very ones, so a name that answers differently the
 * second time gains nothing), with TLS 1.2 or newer and a verified certificate, never through a proxy of the environment. A request gets its connection
 * only when it is open, TLS included: what is checked at `socket` is checked just before the bytes leave.
 */
export class Connector {
  readonly #options: HttpOptions
  readonly #agents = new Map<string, Promise<Requester>>()
  readonly #open: Agent[] = []
  readonly #opening = new Set<Socket>()
  constructor(options: HttpOptions) {
    this.#options = options
  }

  /** What makes requests for this URL; nothing is written of one until its `end` is called. */
  async requester(url: URL): Promise<Requester> {
    const { sandboxOrigin } = this.#options
    const isSandbox = sandboxOrigin !== undefined && url.origin === new URL(sandboxOrigin).origin
    const host = url.hostname.replace(/^\[|\]$/g, '')
    if (isIP(host) !== 0) checkAddress(host, host, isSandbox)
    const key = `${url.protocol} ${isSandbox}`
    const made = this.#agents.get(key) ?? this.#make(url.protocol, isSandbox)
    this.#agents.set(key, made)
    return made
  }

  close(): void {
    for (const agent of this.#open) agent.destroy()
    for (const socket of this.#opening) socket.destroy()
  }

  /** Loads TLS (25 ms) only where it is used. */
  async #make(protocol: string, isSandbox: boolean): Promise<Requester> {
    const keep = { keepAlive: true, timeout: 4 * SECOND, lookup: this.#lookup(isSandbox) }
    if (protocol === 'http:') {
      // Not import(): that reads every export, and http.WebSocket brings all of undici (50 ms).
      const http = process.getBuiltinModule('node:http')
      const agent = this.#whenOpen(new http.Agent(keep), 'connect')
      return (url, options) => http.request(url, { ...options, agent })
    }
    const https = await import('node:https')
    const secure = new https.Agent({ ...keep, minVersion: 'TLSv1.2', rejectUnauthorized: true })
    const agent = this.#whenOpen(secure, 'secureConnect')
    return (url, options) => https.request(url, { ...options, agent })
  }

  /** Makes an agent hand out a connection only when it is open. */
  #whenOpen(agent: Agent, opened: string): Agent {
    const connect = agent.createConnection.bind(agent) as (options: object) => Socket
    const later = (options: object, done: (error: Error | null, socket?: Socket) => void): undefined => {
      const socket = connect(options)
      // A request that gives up does not end its connection: without this a dead address would keep the process alive.
      const timer = setTimeout(
        () => socket.destroy(),
        this.#options.connectDeadlineMs ?? defaultConnectDeadlineMs,
      )
      this.#opening.add(socket)
      const settle = (): void => {
        clearTimeout(timer)
        this.#opening.delete(socket)
      }
      const onError = (error: Error): void => done(error)
      socket.once('error', onError)
      socket.once('close', settle)
      socket.once(opened, () => {
        settle()
        socket.removeListener('error', onError)
        done(null, socket)
      })
    }
    agent.createConnection = later as unknown as Agent['createConnection']
    this.#open.push(agent)
    return agent
  }

  #lookup(isSandbox: boolean): LookupFunction {
    const resolve = this.#options.resolve ?? systemResolve
    return (hostname, options, callback) => {
      checkedAddresses(hostname, resolve, isSandbox).then(
        found => {
          const [first] = found
          if (options.all) callback(null, [...found])
          else callback(null, first?.address ?? '', first?.family)
        },
        (error: unknown) => callback(error as NodeJS.ErrnoException, ''),
      )
    }
  }
}

async function checkedAddresses(
  hostname: string,
  resolve: Resolve,
  isSandbox: boolean,
): Promise<readonly ResolvedAddress[]> {
  const found = await resolve(hostname)
  if (found.length === 0) throw new CryptosError('CRY_HTTP_NETWORK', `${hostname} has no address`)
  for (const { address } of found) checkAddress(hostname, address, isSandbox)
  return found
}

/** One forbidden address among good ones is enough: a provider has none. */
function checkAddress(hostname: string, address: string, isSandbox: boolean): void {
  const isFine = isSandbox ? isLoopback(address) : !isForbiddenAddress(address)
  if (isFine) return
  const why = isSandbox ? 'a sandbox has to be on this machine' : 'a private, local or reserved address'
  throw new CryptosError('CRY_HTTP_ADDRESS', `${hostname} leads to ${address}: ${why}`)
}
