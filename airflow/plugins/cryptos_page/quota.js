// Inside Airflow the page is in a frame that may not move the top window: there the link is followed by the window around it.
const frameOf = () => {
  try {
    return parent !== window && parent.document ? parent : undefined
  } catch {
    return undefined
  }
}
const around = frameOf()

if (around) {
  const root = around.document.documentElement
  const follow = () => {
    const isDark = root.classList.contains('dark') || root.dataset.theme === 'dark'
    document.documentElement.dataset.theme = isDark ? 'dark' : 'light'
  }
  follow()
  new MutationObserver(follow).observe(root, { attributes: true, attributeFilter: ['class', 'data-theme'] })
  document.addEventListener('click', event => {
    const link = event.target instanceof Element ? event.target.closest('a[target="_top"]') : null
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    const outside = around.document.createElement('a')
    outside.href = link.href
    around.document.body.append(outside)
    outside.click()
    outside.remove()
  })
}
