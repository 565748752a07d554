/**
 * @typedef {'connecting' | 'live' | 'reconnecting' | 'stale'} LineState
 * @typedef {object} Handlers
 * @property {(hello: { at: string, resumed: boolean }) => void} onHello
 * @property {(event: { prices: import('./model.js').LivePrice[] }) => void} onPrices
 * @property {(quota: import('./quota.js').QuotaView) => void} onQuota
 * @property {(runs: import('./runs.js').RunsView) => void} onRuns
 * @property {(at: string) => void} onTime the server's time
 * @property {(state: LineState, since: number) => void} onState
 */

/** The server pings every 10 s: silence for longer than this means that the line is dead, whatever the browser thinks. */
const silenceMs = 25_000
const retryMs = 2_000
/** A page in the background gives its connection back: a browser has only six to one server. */
const hiddenMs = 60_000

/**
 * Keeps one event stream open. The browser itself reconnects with Last-Event-ID, so nothing is skipped; a stream that is
 * opened anew starts with `hello` and `resumed: false`, and the page loads everything again.
 * @param {Handlers} handlers
 */
export function connect(handlers) {
  /** @type {EventSource | undefined} */
  let source
  let heardAt = Date.now()
  let hiddenAt = 0

  const heard = () => {
    heardAt = Date.now()
    handlers.onState('live', heardAt)
  }
  const open = () => {
    source?.close()
    heardAt = Date.now()
    source = new EventSource('/api/v1/events')
    const listen = (/** @type {string} */ name, /** @type {(data: any) => void} */ handle) =>
      source?.addEventListener(name, event => {
        const data = JSON.parse(event.data)
        if (data.at) handlers.onTime(data.at)
        heard()
        handle(data)
      })
    listen('hello', handlers.onHello)
    listen('prices', handlers.onPrices)
    listen('quota', handlers.onQuota)
    listen('runs', handlers.onRuns)
    listen('ping', () => undefined)
    source.addEventListener('error', () => handlers.onState('reconnecting', heardAt))
  }
  const watch = () => {
    if (document.hidden) {
      if (hiddenAt > 0 && Date.now() - hiddenAt > hiddenMs) source?.close()
      return
    }
    const silent = Date.now() - heardAt
    if (source?.readyState === EventSource.CLOSED && silent > retryMs) open()
    else if (silent > silenceMs) {
      handlers.onState('stale', heardAt)
      open()
    }
  }
  document.addEventListener('visibilitychange', () => {
    hiddenAt = document.hidden ? Date.now() : 0
    if (!document.hidden && source?.readyState === EventSource.CLOSED) open()
  })
  setInterval(watch, 1000)
  open()
}
