import { byId, el, setText } from './dom.js'
import { formatPrice, percentChange } from './format.js'
import { idOf } from './model.js'

/** @typedef {import('./model.js').LivePrice} LivePrice */

/** No source is fit: then there is no number to stand for the asset. @param {LivePrice} lead */
export function showNoHero({ symbol, currency }) {
  const hero = byId('hero')
  hero.title = 'no source is fit to serve'
  hero.replaceChildren('–', el('span', { class: 'unit' }, ` ${currency}`))
  setText(byId('hero-sub'), 'no price: no source is fit')
  document.title = `${symbol} – ${currency} · cryptos`
}

/**
 * The one large number: the price that the role serves, or the chosen provider's.
 * @param {LivePrice} price
 * @param {number} decimals
 * @param {{ open: string, isOne: boolean, words: string } | undefined} past of this provider: where the drawn time began
 * @param {string} verb `by` or `served by`
 */
export function showHero(price, decimals, past, verb) {
  const hero = byId('hero')
  const shown = formatPrice(price.price, decimals)
  const [whole = '', fraction] = shown.split('.')
  hero.title = `${price.price} ${price.currency}, exactly as ${price.provider} sent it`
  const small = el('small', {}, fraction === undefined ? '' : `.${fraction}`)
  hero.replaceChildren(whole, small, el('span', { class: 'unit' }, ` ${price.currency}`))
  byId('hero-sub').replaceChildren(...(past ? changeOf(price, past) : []), `${verb} ${price.provider}`)
  document.title = `${price.symbol} ${shown} ${price.currency} · cryptos`
}

/** @param {LivePrice} price @param {{ open: string, isOne: boolean, words: string }} past */
function changeOf(price, { open, isOne, words }) {
  if (isOne) return [`– with one price ${words}, `]
  const change = percentChange(open, price.price, 2)
  if (!change) return []
  const direction = /^-?0?\.?0*$/.test(change) ? 'flat' : change.startsWith('-') ? 'down' : 'up'
  const sign = { up: '▲ +', down: '▼ −', flat: '' }[direction]
  return [el('b', { class: `move ${direction}` }, `${sign}${change.replace('-', '')} %`), ` ${words}, `]
}

/** One that we have no name for is told by its id: many assets share a ticker. @param {LivePrice} price */
export function showTitle(price) {
  const { symbol, name } = price
  const of = `${symbol} ${name} ${price.asset}`
  const title = byId('focus-title')
  if (title.dataset['of'] === of) return
  title.dataset['of'] = of
  const beside = name === symbol ? idOf(price) : symbol
  if (beside === '') setText(title, name)
  else title.replaceChildren(name, el('span', { class: 'unit' }, ` ${beside}`))
}
