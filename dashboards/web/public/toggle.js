import { byId, setText } from './dom.js'

/** The button that changes between dark and light and keeps the choice. @param {() => void} onChange */
export function makeTheme(onChange) {
  const root = document.documentElement
  const button = byId('theme')
  const system = matchMedia('(prefers-color-scheme: light)')
  const isLight = () => (root.dataset['theme'] ?? (system.matches ? 'light' : 'dark')) === 'light'
  const show = () => {
    setText(button, isLight() ? 'Dark theme' : 'Light theme')
    onChange()
  }
  button.addEventListener('click', () => {
    root.dataset['theme'] = isLight() ? 'dark' : 'light'
    localStorage.setItem('cryptos-theme', root.dataset['theme'])
    show()
  })
  system.addEventListener('change', show)
  show()
}
