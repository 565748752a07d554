import type { SSEMessage, SSEStreamingApi } from 'hono/streaming'
import { toCryptosError } from '../../core/errors.ts'
import type { Clock } from '../../core/ports/clock.ts'
import type { ChangeFeed, QuoteReader, StatusReader } from '../../core/ports/reader.ts'
import { SECOND } from '../../core/time.ts'
import { toIsoMicros } from './times.ts'
import { viewLivePrice, viewQuota, viewRuns } from './views.ts'

export interface LivePorts {
  readonly reader: QuoteReader
  readonly status: StatusReader
  readonly feed: ChangeFeed
  readonly clock: Clock
  readonly log: (line: string) => void
}

/** Changes a read, and runs and quota events in a snapshot. */
const pageSize = 200
export const snapshotRuns = 60
export const snapshotQuotaEvents = 20
const tickMs = SECOND
/** A ping tells the page that the line still works, and the server's time. */
const pingEveryTicks = 10
/** Quota and runs are read again after a change, and every so many ticks without one. */
const statusEveryTicks = 5

interface Page {
  readonly messages: readonly SSEMessage[]
  readonly last: number
}

/**
 * All open event streams. Each client has a position of its own (the id of the last change that it was sent), so a slow one
 * holds up nobody; clients at the same position share one read and one serialisation.
 */
export class Live {
  readonly #ports: LivePorts
  readonly #end = new AbortController()
  readonly #stopFeed: () => void
  #wake = Promise.withResolvers<void>()
  #pages = new Map<number, Promise<Page>>()
  #clients = 0
  #statusDue = true
  #quota = ''
  #runs = ''
  #pings = 0

  constructor(ports: LivePorts) {
    this.#ports = ports
    this.#stopFeed = ports.feed.onChange(() => {
      this.#statusDue = true
      this.#wakeAll()
    })
  }

  get clients(): number {
    return this.#clients
  }

  /** Serves one client until it leaves or the server closes. `lastEventId` as the client sent it. */
  async serve(stream: SSEStreamingApi, lastEventId: string | undefined): Promise<void> {
    stream.onAbort(() => this.#wakeAll())
    this.#clients += 1
    if (this.#clients === 1) void this.#tick()
    try {
      await this.#follow(stream, await this.#hello(stream, lastEventId))
    } catch (error) {
      // The client is cut off and comes back with its Last-Event-ID: nothing is skipped.
      this.#ports.log(`an event stream ended: ${toCryptosError(error).message}`)
    } finally {
      this.#clients -= 1
    }
  }

  close(): void {
    this.#end.abort()
    this.#stopFeed()
    this.#wakeAll()
  }

  /** Tells where the stream goes on; a client that is too far behind, or new, loads the rest over the API. */
  async #hello(stream: SSEStreamingApi, lastEventId: string | undefined): Promise<number> {
    const { reader, clock } = this.#ports
    const newest = await reader.newestChange()
    const oldest = await reader.oldestChange()
    const seen = /^\d{1,15}$/.test(lastEventId ?? '') ? Number(lastEventId) : -1
    const resumed = seen >= 0 && seen <= newest && seen >= oldest - 1
    const position = resumed ? seen : newest
    const data = JSON.stringify({ at: toIsoMicros(clock.now()), resumed, position })
    await stream.writeSSE({ event: 'hello', id: String(position), retry: SECOND, data })
    return position
  }

  async #follow(stream: SSEStreamingApi, from: number): Promise<void> {
    let position = from
    const sent = { quota: '', runs: '', pings: this.#pings }
    await this.#refreshStatus()
    while (!stream.aborted && !this.#end.signal.aborted) {
      const wake = this.#wake.promise
      position = await this.#sendPrices(stream, position)
      await this.#sendStatus(stream, sent)
      await wake
    }
  }

  async #sendPrices(stream: SSEStreamingApi, from: number): Promise<number> {
    let position = from
    for (;;) {
      const page = await this.#pageAfter(position)
      for (const message of page.messages) {
        if (stream.aborted || this.#end.signal.aborted) return position
        await stream.writeSSE(message)
      }
      position = page.last
      if (page.messages.length < pageSize) return position
    }
  }

  #pageAfter(position: number): Promise<Page> {
    const known = this.#pages.get(position)
    if (known !== undefined) return known
    const page = this.#readPage(position)
    this.#pages.set(position, page)
    return page
  }

  async #readPage(position: number): Promise<Page> {
    const changes = await this.#ports.reader.changes(position, pageSize)
    const messages = changes.map(({ id, prices }) => ({
      event: 'prices',
      id: String(id),
      data: JSON.stringify({ id, prices: prices.map(viewLivePrice) }),
    }))
    return { messages, last: changes.at(-1)?.id ?? position }
  }

  async #sendStatus(
    stream: SSEStreamingApi,
    sent: { quota: string; runs: string; pings: number },
  ): Promise<void> {
    if (sent.quota !== this.#quota) {
      sent.quota = this.#quota
      await stream.writeSSE({ event: 'quota', data: this.#quota })
    }
    if (sent.runs !== this.#runs) {
      sent.runs = this.#runs
      await stream.writeSSE({ event: 'runs', data: this.#runs })
    }
    if (sent.pings === this.#pings) return
    sent.pings = this.#pings
    await stream.writeSSE({
      event: 'ping',
      data: JSON.stringify({ at: toIsoMicros(this.#ports.clock.now()) }),
    })
  }

  /** Runs while there is a client. */
  async #tick(): Promise<void> {
    const { clock, log } = this.#ports
    const { signal } = this.#end
    for (let tick = 1; this.#clients > 0 && !signal.aborted; tick += 1) {
      try {
        await clock.sleep(tickMs, signal)
        if (this.#statusDue || tick % statusEveryTicks === 0) await this.#refreshStatus()
      } catch (error) {
        if (signal.aborted) return
        log(`the status could not be read: ${toCryptosError(error).message}`)
      }
      if (tick % pingEveryTicks !== 0) continue
      this.#pings += 1
      this.#wakeAll()
    }
  }

  async #refreshStatus(): Promise<void> {
    const { status } = this.#ports
    this.#statusDue = false
    try {
      const [scopes, events, runs] = await Promise.all([
        status.quota(),
        status.quotaEvents(snapshotQuotaEvents),
        status.runs(snapshotRuns),
      ])
      const quota = JSON.stringify(viewQuota(scopes, events))
      const ran = JSON.stringify(viewRuns(runs))
      if (quota === this.#quota && ran === this.#runs) return
      this.#quota = quota
      this.#runs = ran
      this.#wakeAll()
    } catch (error) {
      // Prices go on while the ledger can not be read; /health names it.
      this.#ports.log(`quota and runs: ${toCryptosError(error).message}`)
    }
  }

  #wakeAll(): void {
    this.#pages = new Map()
    this.#wake.resolve()
    this.#wake = Promise.withResolvers()
  }
}
