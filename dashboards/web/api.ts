import { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { assets } from '../../core/assets.ts'
import type { EpochMicros } from '../../core/brands.ts'
import { errorKinds, toCryptosError } from '../../core/errors.ts'
import { consensusProvider } from '../../core/records.ts'
import { addMs, DAY, fromEpochMs, HOUR } from '../../core/time.ts'
import type { History } from '../../core/ports/reader.ts'
import type { StaticFile } from './files.ts'
import { type Live, type LivePorts, snapshotQuotaEvents } from './live.ts'
import { type MarketPorts, marketRoutes } from './market-api.ts'
import {
  completeHistory,
  type HistoryParams,
  needsFirst,
  type Params,
  readAsset,
  readCurrency,
  readHistory,
  readLimit,
  readParams,
} from './params.ts'
import { toIsoMicros } from './times.ts'
import { viewHistory, viewLatest, viewQuota, viewRuns } from './views.ts'

export interface ApiPorts extends LivePorts, MarketPorts {
  readonly live: Live
  readonly files: ReadonlyMap<string, StaticFile>
  readonly simulated: string | null
  readonly version: string
  readonly maxStreams: number
}

type Answer = (params: Params, ports: ApiPorts) => Promise<object>

const answers: Readonly<Record<string, { readonly takes: readonly string[]; readonly answer: Answer }>> = {
  '/api/v1/latest': { takes: ['asset', 'currency'], answer: latest },
  '/api/v1/history': {
    takes: ['asset', 'currency', 'provider', 'from', 'to', 'step'],
    answer: history,
  },
  '/api/v1/quota': { takes: [], answer: quota },
  ...marketRoutes,
  '/api/v1/sources': { takes: [], answer: sources },
  '/api/v1/runs': { takes: ['limit'], answer: runs },
  '/api/v1/meta': { takes: [], answer: meta },
}

/** All routes. Security is the server's: see guard.ts. */
export function makeApi(ports: ApiPorts): Hono {
  const app = new Hono({ strict: true })
  for (const [path, { takes, answer }] of Object.entries(answers))
    app.get(path, async c => {
      c.header('cache-control', 'no-store')
      return c.json(await answer(readParams(c.req.queries(), takes), ports))
    })
  addEvents(app, ports)
  addHealth(app, ports)
  addFiles(app, ports)
  app.notFound(c =>
    c.json({ error: { code: 'WEB_NOT_FOUND', message: 'there is nothing at this address' } }, 404),
  )
  app.onError((thrown, c) => {
    const error = toCryptosError(thrown)
    const isInput = error.code === 'CRY_VALUE_INVALID'
    // Other messages can name files of this machine: the log gets them, the client gets what the code means.
    if (!isInput) ports.log(`${c.req.path}: ${error.code}: ${error.message}`)
    const message = isInput ? error.message : errorKinds[error.code].meaning
    const status: ContentfulStatusCode = isInput ? 400 : error.code === 'CRY_INTERNAL' ? 500 : 503
    return c.json({ error: { code: error.code, message } }, status)
  })
  return app
}

async function latest(params: Params, { reader, clock }: ApiPorts): Promise<object> {
  const asset = readAsset(params)
  const currency = readCurrency(params)
  const prices = await reader.latest({ ...(asset && { asset }), ...(currency && { currency }) })
  return viewLatest(prices, clock.now())
}

async function history(params: Params, { reader, clock }: ApiPorts): Promise<object> {
  const asked = readHistory(params, clock.now())
  const first = needsFirst(asked) ? await firstTime(asked, reader) : undefined
  const from = asked.from === 'first' ? (first ?? addMs(asked.to, -HOUR)) : asked.from
  const query = completeHistory(asked, from, first)
  return viewHistory({ ...query, from }, await reader.history(query))
}

/** When the stored prices of the query begin, to the hour: by its daily points and the hourly ones of the first day. */
async function firstTime(
  asked: HistoryParams,
  reader: LivePorts['reader'],
): Promise<EpochMicros | undefined> {
  const day = earliest(await reader.history({ ...asked, from: oldestAsked, stepMs: DAY }))
  if (day === undefined) return undefined
  const next = addMs(day, DAY)
  const to = next < asked.to ? next : asked.to
  return earliest(await reader.history({ ...asked, from: day, to, stepMs: HOUR })) ?? day
}

const oldestAsked = fromEpochMs(Date.UTC(2009, 0, 1))

const earliest = ({ points }: History): EpochMicros | undefined =>
  points.reduce<EpochMicros | undefined>((least, p) => (least && least <= p.time ? least : p.time), undefined)

async function quota(_: Params, { status, clock }: ApiPorts): Promise<object> {
  const [scopes, events] = await Promise.all([status.quota(), status.quotaEvents(snapshotQuotaEvents)])
  return { at: toIsoMicros(clock.now()), ...viewQuota(scopes, events) }
}

async function sources(_: Params, { status, clock }: ApiPorts): Promise<object> {
  return { at: toIsoMicros(clock.now()), sources: await Promise.resolve(status.sources()) }
}

async function runs(params: Params, { status, clock }: ApiPorts): Promise<object> {
  const limit = readLimit(params, { byDefault: 50, most: 1_000 })
  return { at: toIsoMicros(clock.now()), ...viewRuns(await status.runs(limit)) }
}

async function meta(_: Params, { reader, status, clock, simulated, version }: ApiPorts): Promise<object> {
  const [prices, scopes] = await Promise.all([reader.latest(), status.quota().catch(() => [])])
  const sorted = (names: readonly string[]): string[] => [...new Set(names)].sort(byText)
  return {
    at: toIsoMicros(clock.now()),
    version,
    simulated,
    assets,
    // What the judge works out is no provider.
    providers: sorted([...prices, ...scopes].map(p => p.provider).filter(name => name !== consensusProvider)),
    currencies: sorted(prices.map(p => p.currency)),
  }
}

function addEvents(app: Hono, { live, maxStreams }: ApiPorts): void {
  app.get('/api/v1/events', c => {
    readParams(c.req.queries(), [])
    if (c.req.method === 'HEAD')
      return c.json({ error: { code: 'WEB_METHOD', message: 'events are answered to GET only' } }, 405)
    if (live.clients >= maxStreams) {
      c.header('retry-after', '5')
      return c.json({ error: { code: 'WEB_BUSY', message: 'too many event streams are open' } }, 503)
    }
    const lastEventId = c.req.header('last-event-id')
    return streamSSE(c, stream => live.serve(stream, lastEventId))
  })
}

function addHealth(app: Hono, { status, log }: ApiPorts): void {
  app.get('/health', async c => {
    c.header('cache-control', 'no-store')
    const problems = await status.problems().catch((thrown: unknown) => {
      const error = toCryptosError(thrown)
      log(`/health: ${error.code}: ${error.message}`)
      return [{ name: 'status', what: errorKinds[error.code].meaning }]
    })
    if (problems.length === 0) return c.json({ status: 'ok' })
    return c.json({ status: 'degraded', problems }, 503)
  })
}

function addFiles(app: Hono, { files }: ApiPorts): void {
  for (const [name, file] of files)
    app.get(name, c => {
      c.header('cache-control', 'no-cache')
      c.header('etag', file.etag)
      if (c.req.header('if-none-match') === file.etag) return c.body(null, 304)
      return c.body(file.body, 200, { 'content-type': file.type })
    })
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
