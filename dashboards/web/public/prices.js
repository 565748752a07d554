import { flash } from './assets.js'
import { byId, colorName, el, setText } from './dom.js'
import { showFold } from './fold.js'
import {
  compareExact,
  formatPrice,
  formatSpan,
  parseExact,
  percentChange,
  subtract,
  toPlain,
} from './format.js'

/** @typedef {import('./model.js').LivePrice} LivePrice */

/** As in the API: an older price says nothing on the spread. */
const spreadWindowMs = 15 * 60_000
const oldMs = 5 * 60_000

/** @param {readonly LivePrice[]} prices */
export function spreadOf(prices) {
  const newest = Math.max(...prices.map(p => p.time))
  const near = prices
    .filter(p => newest - p.time <= spreadWindowMs)
    .toSorted((a, b) => compareExact(a.price, b.price))
  const [low] = near
  const high = near.at(-1)
  if (!low || !high || near.length < 2) return undefined
  const absolute = toPlain(subtract(parseExact(high.price), parseExact(low.price)))
  return { low, high, absolute, percent: percentChange(low.price, high.price, 4) }
}

/** The prices of one asset, provider by provider. */
export function makePrices() {
  const tiles = byId('tiles')
  /** @type {Map<string, Tile>} */
  const shown = new Map()
  /**
   * @param {readonly LivePrice[]} prices @param {readonly string[]} providers @param {number} decimals
   * @param {{ excluded: ReadonlySet<string>, standing: (price: LivePrice) => import('./judge-words.js').Told }} judged
   */
  const show = (prices, providers, decimals, { excluded, standing }) => {
    const counted = prices.filter(p => !excluded.has(p.provider))
    const spread = spreadOf(counted)
    for (const [id, tile] of shown)
      if (!prices.some(p => idOf(p) === id)) {
        tile.item.remove()
        shown.delete(id)
      }
    for (const price of prices) {
      const tile = shown.get(idOf(price)) ?? makeTile(price, colorName(providers, price.provider))
      if (!shown.has(idOf(price))) tiles.append(tile.item)
      shown.set(idOf(price), tile)
      fillTile(tile, price, spread, decimals)
      showFold(tile.standing, standing(price))
    }
    showSpread(spread, { counted: counted.length, all: prices.length }, decimals)
    showStrip(counted, spread, providers)
  }
  /** @param {number} now the server's time */
  const tick = now => {
    for (const { age, time } of shown.values()) {
      setText(age, now - time < 1000 ? 'just now' : `${formatSpan(now - time)} ago`)
      age.classList.toggle('old', now - time > oldMs)
    }
  }
  return { show, tick }
}

/**
 * @typedef {{ item: HTMLElement, value: HTMLElement, gap: HTMLElement, age: HTMLTimeElement, standing: HTMLElement, time: number, exact: string }} Tile
 */

/** @param {LivePrice} price */
const idOf = price => `${price.asset} ${price.currency} ${price.provider}`

/** @param {LivePrice} price @param {string} color @returns {Tile} */
function makeTile(price, color) {
  const dot = el('i', { class: 'dot' })
  dot.style.background = `var(${color})`
  const value = el('p', { class: 'num value' })
  const gap = el('span', { class: 'gap' })
  const age = el('time', { class: 'age' })
  const standing = el('div', { class: 'fold standing' })
  const under = el('p', { class: 'under' }, gap, age)
  const item = el('li', {}, el('h3', {}, dot, price.provider), value, under, standing)
  return { item, value, gap, age, standing, time: price.time, exact: '' }
}

/** @param {Tile} tile @param {LivePrice} price @param {ReturnType<typeof spreadOf>} spread @param {number} decimals */
function fillTile(tile, price, spread, decimals) {
  if (tile.exact && tile.exact !== price.price) flash(tile.value, compareExact(price.price, tile.exact))
  tile.exact = price.price
  tile.time = price.time
  tile.value.replaceChildren(
    formatPrice(price.price, decimals),
    el('span', { class: 'unit' }, ` ${price.currency}`),
  )
  tile.value.title = `${price.price} ${price.currency}, exactly as ${price.provider} sent it`
  tile.age.dateTime = price.observedAt
  tile.age.title = price.observedAt
  tile.gap.title = ''
  if (!spread) return setText(tile.gap, '')
  const above = subtract(parseExact(price.price), parseExact(spread.low.price))
  tile.gap.title = toPlain(above)
  setText(
    tile.gap,
    above.digits === 0n
      ? 'lowest'
      : `${above.digits > 0n ? '+' : ''}${formatPrice(toPlain(above), decimals).replace('-', '−')}`,
  )
}

/** Of the sources that count, where the judge has spoken. @param {ReturnType<typeof spreadOf>} spread @param {{ counted: number, all: number }} of @param {number} decimals */
function showSpread(spread, { counted, all }, decimals) {
  const place = byId('spread')
  if (!spread) return setText(place, all === 1 ? 'One provider so far: a spread needs two' : '')
  const whose = counted < all ? ` · of the ${counted} that count` : ''
  const text = `Spread ${formatPrice(spread.absolute, decimals)} ${spread.low.currency} · ${spread.percent} %${whose}`
  setText(place, text)
  place.title = `${spread.absolute}: ${spread.high.provider} ${spread.high.price} minus ${spread.low.provider} ${spread.low.price}`
}

/** Each provider's place between the lowest and the highest price. Only a drawing, so floats will do. @param {readonly LivePrice[]} prices @param {ReturnType<typeof spreadOf>} spread @param {readonly string[]} providers */
function showStrip(prices, spread, providers) {
  const strip = byId('strip')
  strip.hidden = !spread
  if (!spread) return
  const low = Number(spread.low.price)
  const width = Number(spread.high.price) - low || 1
  const dots = prices.map(price => {
    const dot = el('i', { class: 'dot' })
    dot.style.background = `var(${colorName(providers, price.provider)})`
    dot.style.left = `${Math.min(100, Math.max(0, ((Number(price.price) - low) / width) * 100))}%`
    return dot
  })
  strip.replaceChildren(...dots)
}
