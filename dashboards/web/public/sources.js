import { byId, el } from './dom.js'

/**
 * @typedef {{ provider: string, title: string, doc: string, isOn: boolean, why: string | null, offSince: string | null,
 *   access: 'keyed' | 'keyless' | 'none', currency: string | null, datasets: readonly string[],
 *   attribution: string | null }} SourceView
 */

/** Every provider of this version, on or off, with the reason in full sight. @param {{ sources: readonly SourceView[] }} view */
export function showSources({ sources }) {
  const on = sources.filter(s => s.isOn).length
  byId('sources-count').textContent = `${on} of ${sources.length} are on`
  const sorted = [...sources].sort((a, b) => Number(b.isOn) - Number(a.isOn) || (a.title < b.title ? -1 : 1))
  byId('sources').replaceChildren(...sorted.map(itemOf))
}

/** @type {Record<SourceView['access'], string>} */
const accessWords = { keyed: 'with a key', keyless: 'without a key', none: 'needs a key' }

/** @param {SourceView} source */
function itemOf({ provider, title, doc, isOn, why, offSince, access, currency, datasets, attribution }) {
  const state = el('span', { class: 'tag', 'data-on': String(isOn) }, isOn ? 'On' : 'Off')
  const name = el('h3', {}, title, el('code', {}, provider), state)
  const facts = [
    accessWords[access],
    currency && `in ${currency}`,
    datasets.join(', '),
    isOn && attribution,
  ].filter(Boolean)
  return el(
    'li',
    { 'data-on': String(isOn) },
    name,
    ...(isOn ? [] : [reasonOf(why, offSince)]),
    el('p', {}, facts.join(' · ')),
    el('p', {}, doc),
  )
}

/** The date stands out: a closed source is told from one that was not asked for. @param {string | null} why @param {string | null} since */
function reasonOf(why, since) {
  const text = why ?? 'no reason was given'
  const at = since ? text.indexOf(since) : -1
  if (!since || at < 0) return el('p', { class: 'why' }, text, ...(since ? [` (since ${since})`] : []))
  const date = el('time', { datetime: since }, since)
  return el('p', { class: 'why' }, text.slice(0, at), date, text.slice(at + since.length))
}
