import { el, setText } from './dom.js'

/** @type {WeakMap<HTMLElement, string>} */
const shownIn = new WeakMap()

/**
 * A line of text; where there is more to say it opens, by keyboard too. Stays open while its words change.
 * @param {HTMLElement} place @param {import('./judge-words.js').Told} told
 */
export function showFold(place, { text, lines, kind }) {
  const key = JSON.stringify([text, lines, kind])
  if (shownIn.get(place) === key) return
  shownIn.set(place, key)
  place.dataset['kind'] = kind
  if (lines.length === 0) return place.replaceChildren(el('p', {}, text))
  const old = place.querySelector('details')
  const details = old ?? el('details', {}, el('summary'), el('ul'))
  if (!old) place.replaceChildren(details)
  const [summary, list] = details.children
  if (summary instanceof HTMLElement) setText(summary, text)
  list?.replaceChildren(...lines.map(line => el('li', {}, line)))
}
