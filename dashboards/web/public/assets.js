import { byId, el, setText } from './dom.js'
import { compareExact, formatPrice } from './format.js'
import { idOf } from './model.js'

/**
 * @typedef {import('./model.js').LivePrice} LivePrice
 * @typedef {{ key: string, lead: LivePrice, decimals: number, isUnfit?: boolean }} AssetRow
 */

/** The list of assets: a group of radio buttons, each with its newest price. @param {(key: string) => void} onChange */
export function makeAssets(onChange) {
  const set = byId('assets')
  /** @type {Map<string, { label: HTMLElement, input: HTMLInputElement, price: HTMLElement, shown: string }>} */
  const rows = new Map()
  set.addEventListener('change', event => {
    if (event.target instanceof HTMLInputElement) onChange(event.target.value)
  })
  let hintedFor = 0
  const hint = () => {
    set.classList.toggle('more-right', set.scrollLeft + set.clientWidth < set.scrollWidth - 4)
    set.classList.toggle('more-below', set.scrollTop + set.clientHeight < set.scrollHeight - 4)
  }
  set.addEventListener('scroll', hint, { passive: true })
  new ResizeObserver(hint).observe(set)
  /** @param {readonly AssetRow[]} assets @param {string} chosen */
  return (assets, chosen) => {
    nameSources(set, assets)
    const severalCurrencies = new Set(assets.map(a => a.lead.currency)).size > 1
    for (const { key, lead, decimals, isUnfit = false } of assets) {
      let row = rows.get(key)
      if (!row) {
        row = makeRow(key, lead, severalCurrencies)
        rows.set(key, row)
        placeRow(
          set,
          row.label,
          assets.findIndex(a => a.key === key),
        )
      }
      if (isUnfit) showNone(row)
      else showPrice(row, lead, decimals)
      row.input.checked = key === chosen
    }
    if (rows.size !== hintedFor) hint()
    hintedFor = rows.size
  }
}

/** @param {string} key @param {LivePrice} lead @param {boolean} severalCurrencies */
function makeRow(key, lead, severalCurrencies) {
  const input = el('input', { type: 'radio', name: 'asset', value: key })
  const price = el('span', { class: 'num' })
  const symbol = severalCurrencies ? `${lead.symbol} / ${lead.currency}` : lead.symbol
  const name = lead.name === lead.symbol ? idOf(lead) : lead.name
  const label = el(
    'label',
    { class: 'asset' },
    input,
    el('b', {}, symbol),
    el('small', { title: name }, name),
    price,
  )
  return { label, input, price, shown: '' }
}

/** Where the order of the list says, not where it came in. @param {HTMLElement} set @param {HTMLElement} label @param {number} index */
function placeRow(set, label, index) {
  const after = set.querySelectorAll('label')[index]
  if (after) after.before(label)
  else set.append(label)
}

/** Whose prices the list shows. @param {HTMLElement} set @param {readonly AssetRow[]} assets */
function nameSources(set, assets) {
  const legend = set.querySelector('legend')
  const sources = [...new Set(assets.filter(a => !a.isUnfit).map(a => a.lead.provider))].sort()
  const text = sources.length > 0 ? ` by ${sources.join(' or ')}` : ''
  if (!legend || legend.dataset['by'] === text) return
  legend.dataset['by'] = text
  legend.replaceChildren('Assets', el('small', {}, text))
}

/** @param {{ price: HTMLElement, shown: string }} row */
function showNone(row) {
  row.shown = ''
  setText(row.price, '–')
  row.price.title = 'no source is fit to serve'
}

/** @param {{ price: HTMLElement, shown: string }} row @param {LivePrice} lead @param {number} decimals */
function showPrice(row, lead, decimals) {
  const exact = lead.price
  const title = `${exact} ${lead.currency} by ${lead.provider}`
  if (row.price.title === title) return
  if (row.shown) flash(row.price, compareExact(exact, row.shown))
  row.shown = exact
  setText(row.price, formatPrice(exact, decimals))
  row.price.title = title
}

/** A short glow in the direction of the change; CSS leaves it out for those who want less motion. @param {HTMLElement} element @param {number} direction */
export function flash(element, direction) {
  if (direction === 0) return
  element.classList.remove('went-up', 'went-down')
  // Reading the width restarts the animation.
  void element.offsetWidth
  element.classList.add(direction > 0 ? 'went-up' : 'went-down')
}
