/**
 * Makes an element. All text goes through text nodes: what a provider calls a coin is never markup.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | undefined>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined) element.setAttribute(name, value)
  element.append(...children)
  return element
}

/** @param {string} id @returns {HTMLElement} */
export function byId(id) {
  const element = document.getElementById(id)
  if (!element) throw new Error(`the page has no #${id}`)
  return element
}

/** Writes only what differs, so that nothing is laid out again for nothing. @param {HTMLElement} element @param {string} text */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text
}

/** A colour of the theme as the browser computes it, for the canvas. @param {string} name @returns {string} */
export function themeColor(name) {
  const probe = document.createElement('i')
  probe.style.color = `var(${name})`
  document.body.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

const colors = 10

/** The colour of a provider: the same in chart, tiles and choices. What is no provider, the consensus, has a neutral one. @param {readonly string[]} providers @param {string} provider */
export function colorName(providers, provider) {
  const at = providers.indexOf(provider)
  return at < 0 ? '--consensus' : `--series-${(at % colors) + 1}`
}
