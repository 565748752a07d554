import { byId, setText } from './dom.js'
import { formatClock } from './format.js'

/** @param {string} address @returns {Promise<any>} */
export async function fetchJson(address) {
  const answer = await fetch(address, { headers: { accept: 'application/json' } })
  const body = await answer.json()
  if (!answer.ok) throw new Error(body.error?.message ?? `the server answered ${answer.status}`)
  return body
}

const quietMs = 10 * 60_000

/** Shows how the page is connected to its server: connected, reconnecting, or stale since when. */
export function makeLineState() {
  const place = byId('state')
  const text = byId('state-text')
  /** @type {{ name: import('./connection.js').LineState, since: number }} */
  let line = { name: 'connecting', since: Date.now() }
  let pricedAt = Date.now()
  let isAnswered = true
  const tick = () => {
    const isQuiet = line.name === 'live' && Date.now() - pricedAt > quietMs
    const isMute = line.name === 'live' && !isAnswered
    place.dataset['state'] = isQuiet || isMute ? 'quiet' : line.name
    const texts = {
      connecting: 'Connecting',
      live: isMute
        ? 'Connected, but no source answers'
        : isQuiet
          ? `Connected, no new price since ${formatClock(pricedAt)}`
          : 'Connected',
      reconnecting: `Reconnecting, stale since ${formatClock(line.since)}`,
      stale: `Stale since ${formatClock(line.since)}`,
    }
    setText(text, texts[line.name])
  }
  return {
    tick,
    /** @param {import('./connection.js').LineState} name @param {number} since */
    set: (name, since) => {
      if (line.name !== name || name === 'live') line = { name, since }
      tick()
    },
    /** Whether a source answers at all. @param {boolean} is */
    answered: is => {
      isAnswered = is
      tick()
    },
    /** @param {number} at */
    priceAt: at => {
      pricedAt = at
    },
    /** @param {unknown} error */
    failed: error => {
      place.dataset['state'] = 'stale'
      setText(text, `Loading failed: ${error instanceof Error ? error.message : 'unknown reason'}`)
    },
  }
}

/**
 * Live prices that come while a history is being loaded wait for it, so that none is lost between the two.
 * @param {() => Promise<(() => void) | undefined>} load
 * @param {(price: import('./model.js').LivePrice) => void} add
 */
export function makeQueue(load, add) {
  let newest = 0
  let loading = false
  /** @type {import('./model.js').LivePrice[]} */
  let waiting = []
  return {
    /** @param {import('./model.js').LivePrice} price */
    push: price => (loading ? waiting.push(price) : add(price)),
    /** The last call wins: an answer to an older choice is thrown away. */
    load: async () => {
      newest += 1
      const mine = newest
      loading = true
      try {
        const use = await load()
        if (mine === newest) use?.()
      } finally {
        if (mine === newest) {
          loading = false
          for (const price of waiting) add(price)
          waiting = []
        }
      }
    },
  }
}
