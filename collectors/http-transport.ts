import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios'
import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { CryptosError } from '../core/errors.ts'
import { announce } from '../core/steps.ts'
import { readBody } from './http-body.ts'
import { Connector } from './http-connect.ts'
import { defaultConnectDeadlineMs, defaultMaxHeaderBytes, type HttpCall, type HttpOptions } from './http.ts'

const userAgent = 'cryptos'

/** A call whose URL was checked. */
export interface CheckedCall extends Omit<HttpCall, 'url'> {
  readonly url: URL
}

/** axios's adapter for Node: one request over one connection that is open before a byte is written. */
export class Transport {
  readonly #options: HttpOptions
  readonly #connector: Connector
  constructor(options: HttpOptions) {
    this.#options = options
    this.#connector = new Connector(options)
  }

  async send(call: CheckedCall, config: InternalAxiosRequestConfig): Promise<AxiosResponse<Uint8Array>> {
    using limits = new Limits(call, this.#options.connectDeadlineMs ?? defaultConnectDeadlineMs)
    const open = await this.#connector.requester(call.url)
    const request = open(call.url, {
      headers: headersOf(config),
      maxHeaderSize: this.#options.maxHeaderBytes ?? defaultMaxHeaderBytes,
    })
    const answer = await exchange(request, limits, socket => this.#write(request, socket, call, limits))
    refuseRedirect(answer, call.url)
    const data = await readBody(answer, this.#options.maxBytes, limits)
    const headers = plainHeaders(answer)
    return { status: answer.statusCode ?? 0, statusText: '', headers, data, config, request: undefined }
  }

  /** On the open connection: the last look at the permit, then the bytes leave. */
  #write(request: ClientRequest, socket: Socket, call: CheckedCall, limits: Limits): void {
    limits.connected()
    if (socket.destroyed || limits.failure) return
    // Announced before the last look: a process that is stopped at this step must not send when it wakes up.
    announce('sent', call.slot)
    if (call.startBy !== undefined && this.#options.clock.now() > call.startBy) {
      const late = new CryptosError('CRY_HTTP_LATE', 'the permit had run out when the connection was open')
      request.destroy(late)
      return
    }
    call.onSent?.()
    request.end()
  }

  close(): void {
    this.#connector.close()
  }
}

/** The deadlines and the caller's signal as one: `fail` is called once, at the first of them. */
export class Limits {
  failure: CryptosError | undefined
  #onFailure: (failure: CryptosError) => void = () => undefined
  readonly #timers: NodeJS.Timeout[]
  readonly #signal: AbortSignal
  readonly #onAbort = (): void => this.#fail(new CryptosError('CRY_ABORTED', 'the call was stopped'))
  constructor(call: CheckedCall, connectDeadlineMs: number) {
    const after = (ms: number, what: string): NodeJS.Timeout =>
      setTimeout(
        () => this.#fail(new CryptosError('CRY_HTTP_TIMEOUT', `${call.url.host}: ${what} in ${ms} ms`)),
        ms,
      )
    this.#timers = [
      after(Math.min(connectDeadlineMs, call.deadlineMs), 'no connection'),
      after(call.deadlineMs, 'no whole answer'),
    ]
    this.#signal = call.signal
    if (call.signal.aborted) this.#onAbort()
    else call.signal.addEventListener('abort', this.#onAbort)
  }
  connected(): void {
    clearTimeout(this.#timers[0])
  }
  /** Calls back now or later, when a limit is hit; the newest caller takes over. */
  onFailure(callback: (failure: CryptosError) => void): void {
    this.#onFailure = callback
    if (this.failure) callback(this.failure)
  }
  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#signal.removeEventListener('abort', this.#onAbort)
  }
  #fail(failure: CryptosError): void {
    this.failure ??= failure
    this.#onFailure(this.failure)
  }
}

/** From the open connection to the headers of the answer. */
function exchange(
  request: ClientRequest,
  limits: Limits,
  onSocket: (socket: Socket) => void,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve)
    // 'error' may come again after the promise is settled (a reset at the end); it must find a listener.
    request.on('error', error => reject(limits.failure ?? error))
    limits.onFailure(failure => request.destroy(failure))
    request.once('socket', onSocket)
  })
}

function refuseRedirect(answer: IncomingMessage, url: URL): void {
  const status = answer.statusCode ?? 0
  if (status < 300 || status > 399) return
  answer.destroy()
  throw new CryptosError('CRY_HTTP_REDIRECT', `${url.host} answered with a redirect (HTTP ${status})`)
}

const headersOf = (config: InternalAxiosRequestConfig): Record<string, string> => ({
  ...(config.headers.toJSON(true) as Record<string, string>),
  'accept-encoding': 'gzip, deflate, br',
  // Coinbase refuses a call that does not name its program.
  'user-agent': userAgent,
})

function plainHeaders(answer: IncomingMessage): Record<string, string> {
  const plain = Object.entries(answer.headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(', ') : (value ?? ''),
  ])
  return Object.fromEntries(plain) as Record<string, string>
}
