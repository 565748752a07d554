import { el } from './dom.js'

/**
 * @typedef {{ readonly value: string, readonly label: string, readonly color?: string | undefined }} Option
 */

/**
 * A row of radio buttons: one stop for Tab, arrow keys choose.
 * @param {HTMLElement} place
 * @param {{ name: string, legend: string, onChange: (value: string) => void }} how
 */
export function makeChoice(place, { name, legend, onChange }) {
  const set = el('fieldset', { class: 'choice' }, el('legend', { class: 'hidden' }, legend))
  place.append(set)
  let shown = ''
  set.addEventListener('change', event => {
    if (event.target instanceof HTMLInputElement) onChange(event.target.value)
  })
  /** @param {readonly Option[]} options @param {string} value */
  return (options, value) => {
    const key = JSON.stringify(options)
    if (key !== shown) {
      shown = key
      for (const old of set.querySelectorAll('label')) old.remove()
      set.append(...options.map(option => optionOf(name, option)))
    }
    for (const input of set.querySelectorAll('input')) input.checked = input.value === value
  }
}

/** @param {string} name @param {Option} option */
function optionOf(name, { value, label, color }) {
  const text = el('span', {}, label)
  if (color) {
    const dot = el('i', { class: 'dot' })
    dot.style.background = `var(${color})`
    text.prepend(dot)
  }
  return el('label', {}, el('input', { type: 'radio', name, value }), text)
}
