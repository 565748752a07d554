import type { IncomingMessage, ServerResponse } from 'node:http'
import { CryptosError, toCryptosError } from '../core/errors.ts'
import type { Clock } from '../core/ports/clock.ts'
import { toIso } from '../core/time.ts'
import type { FaultControl, FaultSpec } from './faults.ts'
import type { Meter } from './meter.ts'
import type { SandboxPlan } from './plan.ts'

/** What the control API works on. */
export interface ControlOptions {
  readonly clock: Clock
  readonly meter: Meter
  readonly faults: FaultControl
  readonly plan: SandboxPlan
}

type Routes = Readonly<Record<string, (body: unknown, url: URL) => unknown>>

const maxBodyBytes = 1_000_000
const mostEntries = 10_000

/** The judge's and the fault switchboard's own API under `/_sandbox/`, for tests in other processes. */
export async function answerControl(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  options: ControlOptions,
): Promise<void> {
  const route = routes(options)[`${request.method} ${url.pathname.slice('/_sandbox'.length)}`]
  if (!route)
    return send(response, 404, { error: 'GET health, meter, served, faults; POST or DELETE faults' })
  try {
    const body = request.method === 'POST' ? await readJson(request) : undefined
    send(response, 200, route(body, url))
  } catch (error) {
    send(response, 400, { error: toCryptosError(error).message })
  }
}

function routes({ clock, meter, faults, plan }: ControlOptions): Routes {
  return {
    'GET /health': () => ({ ok: true, now: clock.now(), time: toIso(clock.now()), plan }),
    'GET /meter': () => meter.summary(),
    'GET /served': (_, url) => servedPage(meter, url),
    'GET /faults': () => ({ faults: faults.list() }),
    'POST /faults': body => ({
      // A list is checked by `add` one by one; those before a wrong one stay.
      ids: (Array.isArray(body) ? body : [body]).map(spec => faults.add(spec as FaultSpec)),
    }),
    'DELETE /faults': () => {
      faults.clear()
      return { ok: true }
    },
  }
}

/** Entries after a sequence number, oldest first; `next` is the number to go on from, null at the end. */
function servedPage(meter: Meter, url: URL): unknown {
  const limit = Math.min(mostEntries, Number(url.searchParams.get('limit') ?? 1_000))
  const entries = meter.entries(Number(url.searchParams.get('after') ?? 0))
  const page = entries.slice(0, limit)
  return { entries: page, next: entries.length > page.length ? (page.at(-1)?.sequence ?? null) : null }
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  // Only a program can send this type to another origin without being asked first, so no web page can.
  if (!request.headers['content-type']?.startsWith('application/json'))
    throw new CryptosError('CRY_VALUE_INVALID', 'send content-type: application/json')
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBodyBytes) throw new CryptosError('CRY_VALUE_INVALID', 'the body is larger than 1 MB')
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown
  } catch (error) {
    throw new CryptosError('CRY_VALUE_INVALID', 'the body is not JSON', { cause: error })
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body)
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' })
  response.end(text)
}
