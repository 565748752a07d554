import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CryptosError, toCryptosError } from '../core/errors.ts'
import type { Clock } from '../core/ports/clock.ts'
import { toEpochMs } from '../core/time.ts'
import { answerControl } from './control.ts'
import { playExchange } from './exchange.ts'
import { FaultControl } from './faults.ts'
import type { FaultSpec } from './faults.ts'
import { sandboxKey } from './key.ts'
import { Meter } from './meter.ts'
import { basic2026 } from './plan.ts'
import type { SandboxPlan } from './plan.ts'
import { seededWalk } from './prices.ts'
import type { PriceSource } from './prices.ts'
import { twins as definitions } from './registry.ts'
import type { SandboxProvider, Twin } from './types.ts'

export { sandboxKey }
const host = '127.0.0.1'

export interface SandboxOptions {
  /** 0 (the default) takes a free one. */
  readonly port?: number
  readonly clock: Clock
  /** Of the walk; 1 by default. */
  readonly seed?: number
  /** Instead of the seeded walk. */
  readonly prices?: PriceSource
  /** What differs from the free plan of 2026. */
  readonly plan?: Partial<SandboxPlan>
  /** What differs from a twin's own limits, by provider. */
  readonly limits?: Readonly<Record<SandboxProvider, Readonly<Record<string, unknown>>>>
  /** Keys that are accepted by every provider that wants one. Foreign use charges the first. */
  readonly keys?: readonly string[]
  /** Faults from the start. */
  readonly faults?: readonly FaultSpec[]
  /** Newest served values that the meter keeps; 300,000 by default. */
  readonly keepServed?: number
}

export interface Sandbox {
  readonly port: number
  /** `http://127.0.0.1:<port>`. */
  readonly url: string
  baseUrl(provider: SandboxProvider): string
  readonly meter: Meter
  readonly faults: FaultControl
  /** Cuts what is under way and ends. */
  close(): Promise<void>
}

/**
 * Starts the simulated providers on 127.0.0.1, and nowhere else.
 * @throws CryptosError CRY_PORT_IN_USE; CRY_VALUE_INVALID for a wrong fault
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { clock } = options
  const plan = { ...basic2026, ...options.plan }
  const meter = new Meter({
    clock,
    refusals: new Set(definitions.flatMap(d => d.refusals)),
    ...(options.keepServed === undefined ? {} : { keepServed: options.keepServed }),
  })
  const faults = new FaultControl()
  for (const fault of options.faults ?? []) faults.add(fault)
  const prices = options.prices ?? seededWalk(options.seed ?? 1)
  const parts = { clock, plan, prices, meter, keys: options.keys ?? [sandboxKey] }
  const twins = new Map(
    definitions.map(d => [d.id, d.open({ ...parts, limits: options.limits?.[d.id] ?? {} })]),
  )
  const closing = new AbortController()
  const server = createServer((request, response) => {
    handle(request, response, { twins, clock, meter, faults, plan, signal: closing.signal }).catch(error =>
      endBroken(response, closing.signal, error),
    )
  })
  // Longer than any client keeps an idle connection, so that the server never closes one just as it is used.
  server.keepAliveTimeout = 75_000
  const port = await listen(server, options.port ?? 0)
  const url = `http://${host}:${port}`
  return {
    port,
    url,
    baseUrl: provider => `${url}/${provider}`,
    meter,
    faults,
    close: () => closeServer(server, closing),
  }
}

interface Parts {
  readonly twins: ReadonlyMap<SandboxProvider, Twin>
  readonly clock: Clock
  readonly meter: Meter
  readonly faults: FaultControl
  readonly plan: SandboxPlan
  readonly signal: AbortSignal
}

async function handle(request: IncomingMessage, response: ServerResponse, parts: Parts): Promise<void> {
  const url = URL.parse(`http://${host}${request.url}`)
  if (!url) return endPlain(response, 400, 'not a URL')
  response.sendDate = false
  response.setHeader('date', new Date(toEpochMs(parts.clock.now())).toUTCString())
  // A page in a browser reaches 127.0.0.1 by a name of its own (DNS rebinding); only a program asks by address.
  if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(request.headers.host ?? ''))
    return endPlain(response, 421, 'wrong host')
  if (url.pathname.startsWith('/_sandbox/')) return answerControl(request, response, url, parts)
  const [, provider = '', ...rest] = url.pathname.split('/')
  const twin = parts.twins.get(provider)
  if (!twin) return endPlain(response, 404, 'no such provider')
  if (request.method !== 'GET') return endPlain(response, 405, 'GET only')
  const { clock, meter, faults: control, signal } = parts
  const endpoint = `/${rest.join('/')}`
  await playExchange({
    request,
    response,
    provider,
    twin,
    url,
    endpoint,
    clock,
    meter,
    control,
    signal,
  })
}

function endPlain(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(text)
}

/** A defect of the sandbox must not look like a provider's error: 599, with the reason. Waits that closing cut are none. */
function endBroken(response: ServerResponse, closing: AbortSignal, error: unknown): void {
  if (closing.aborted || response.headersSent) response.destroy()
  else endPlain(response, 599, `sandbox: ${toCryptosError(error).message}`)
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', error => {
      const { code, message } = toCryptosError(error)
      const text = code === 'CRY_PORT_IN_USE' ? `another program listens on ${host}:${port}` : message
      reject(new CryptosError(code, text, { cause: error }))
    })
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port))
  })
}

function closeServer(server: Server, closing: AbortController): Promise<void> {
  closing.abort()
  return new Promise(resolve => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
