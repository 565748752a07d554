import { byId, el, setText } from './dom.js'
import { formatPrice, percentChange } from './format.js'

/** @typedef {import('./model.js').LivePrice} LivePrice */

/**
 * The one large number: the newest price, or the chosen provider's.
 * @param {LivePrice} price
 * @param {{ first: string, words: string } | undefined} past where the range began
 */
export function showHero(price, past) {
  const hero = byId('hero')
  const shown = formatPrice(price.price)
  const [whole = '', fraction] = shown.split('.')
  hero.title = `${price.price} ${price.currency}, exactly as ${price.provider} sent it`
  const small = el('small', {}, fraction === undefined ? '' : `.${fraction}`)
  hero.replaceChildren(whole, small, el('span', { class: 'unit' }, ` ${price.currency}`))
  const change = past ? percentChange(past.first, price.price, 2) : ''
  const direction = /^0?\.?0*$/.test(change.replace('-', ''))
    ? 'flat'
    : change.startsWith('-')
      ? 'down'
      : 'up'
  const sign = { up: '▲ +', down: '▼ −', flat: '' }[direction]
  const move = el('b', { class: `move ${direction}` }, change ? `${sign}${change.replace('-', '')} %` : '')
  byId('hero-sub').replaceChildren(...(change ? [move, ` ${past?.words}, `] : []), `by ${price.provider}`)
  document.title = `${price.symbol} ${shown} ${price.currency} · cryptos`
}

/** @param {string} symbol @param {string} name */
export function showTitle(symbol, name) {
  const title = byId('focus-title')
  if (title.dataset['of'] === `${symbol} ${name}`) return
  title.dataset['of'] = `${symbol} ${name}`
  if (name === symbol) setText(title, name)
  else title.replaceChildren(name, el('span', { class: 'unit' }, ` ${symbol}`))
}
