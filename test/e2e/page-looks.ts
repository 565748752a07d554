import type { Page } from 'playwright-core'

/** The functions below run in the page; its globals are not those of Node, so they are named here and nowhere else. */
// biome-ignore lint/suspicious/noExplicitAny: a browser's object, without the DOM's types in the whole program
type Dom = any
declare const document: Dom
declare const getComputedStyle: (element: Dom) => Dom
declare const NodeFilter: Dom
declare const scrollY: number
declare const requestAnimationFrame: (callback: Dom) => number

/** As a reader sees it, hidden parts left out. */
export const seenText = (page: Page, selector: string): Promise<string> =>
  page.locator(selector).evaluate(element => String(Reflect.get(element, 'innerText')))

export const inkAndGround = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const { color, backgroundColor } = getComputedStyle(document.body)
    return `${color} on ${backgroundColor}`
  })

export const chosenTheme = (page: Page): Promise<string> =>
  page.evaluate(() => String(document.documentElement.dataset.theme))

/** The colours that the chart has most pixels of. */
export const chartColors = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const canvas = document.querySelector('#chart canvas')
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data
    const seen = new Map<string, number>()
    for (let i = 0; i < pixels.length; i += 4) {
      const color = `${pixels[i]} ${pixels[i + 1]} ${pixels[i + 2]}`
      if (pixels[i + 3] === 255) seen.set(color, (seen.get(color) ?? 0) + 1)
    }
    return [...seen]
      .sort((a, b) => b[1] - a[1])
      .map(([color]) => color)
      .slice(0, 12)
  })

/** Elements that stick out of the window to the right, except inside of what scrolls by itself. */
export function tooWide(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth
    const found: string[] = document.documentElement.scrollWidth > width ? ['the page itself scrolls'] : []
    for (const element of document.querySelectorAll('body *')) {
      if (element.closest('.rail fieldset, .hidden') || element.getClientRects().length === 0) continue
      const box = element.getBoundingClientRect()
      const card = element.closest('.card')?.getBoundingClientRect()
      if (box.right > Math.min(width, card?.right ?? width) + 1)
        found.push(
          `${element.tagName} ${element.className} ${element.textContent?.slice(0, 30)} ${box.right}`,
        )
    }
    return found
  })
}

/** Until what came in is drawn. */
export const nextFrames = (page: Page): Promise<unknown> =>
  page.evaluate(
    () =>
      new Promise(resolve =>
        setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(resolve)), 0),
      ),
  )

/** In how many rows elements stand. */
export const rowsOf = (page: Page, selector: string): Promise<number> =>
  page
    .locator(selector)
    .evaluateAll(found => new Set(found.map(element => (element as Dom).getBoundingClientRect().top)).size)

/** Pixels between the text above the chart and the ring around the focused chart. */
export const ringGap = (page: Page): Promise<number> =>
  page.evaluate(() => {
    const chart = document.querySelector('#chart')
    const { outlineWidth, outlineOffset } = getComputedStyle(chart)
    const ring = Number.parseFloat(outlineWidth) + Number.parseFloat(outlineOffset)
    const text = document.querySelector('#readout').getBoundingClientRect()
    return chart.getBoundingClientRect().top - ring - text.bottom
  })

/**
 * Texts whose contrast is under WCAG 2 AA: 4.5, or 3 from 24 px (18.66 px bold) on.
 * Colours go through a canvas, which knows every notation.
 */
export function lowContrast(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const canvas = document.createElement('canvas')
    canvas.width = 1
    canvas.height = 1
    const context = canvas.getContext('2d', { willReadFrequently: true })
    const rgba = (color: string): number[] => {
      if (!context) return []
      context.clearRect(0, 0, 1, 1)
      context.fillStyle = color
      context.fillRect(0, 0, 1, 1)
      return [...context.getImageData(0, 0, 1, 1).data] as number[]
    }
    const luminance = (color: readonly number[]): number => {
      const [r = 0, g = 0, b = 0] = color.map(c => {
        const s = c / 255
        return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4
      })
      return 0.2126 * r + 0.7152 * g + 0.0722 * b
    }
    const groundOf = (from: Dom): number[] => {
      for (let element = from; element; element = element.parentElement) {
        const color = rgba(getComputedStyle(element).backgroundColor)
        if (color[3] === 255) return color
      }
      return [255, 255, 255]
    }
    const found: string[] = []
    let looked = 0
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const element = node.parentElement
      if (!element || !node.textContent?.trim() || element.closest('.hidden, .skip, noscript')) continue
      if (element.getClientRects().length === 0) continue
      looked += 1
      const style = getComputedStyle(element)
      const size = Number.parseFloat(style.fontSize)
      const needed = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5
      const [a = 0, b = 0] = [luminance(rgba(style.color)), luminance(groundOf(element))].sort(
        (x, y) => y - x,
      )
      const ratio = (a + 0.05) / (b + 0.05)
      if (ratio < needed)
        found.push(`${ratio.toFixed(2)} ${element.className} ${node.textContent.slice(0, 30)}`)
      if (size < 11) found.push(`${size}px ${element.className} ${node.textContent.slice(0, 30)}`)
    }
    return looked > 50 ? found : [`only ${looked} texts were looked at`]
  })
}

/** How far from the page's top an element stands. */
export const placeOf = (page: Page, selector: string): Promise<number> =>
  page
    .locator(selector)
    .evaluate(element => Math.round((element as Dom).getBoundingClientRect().top + Number(scrollY)))

/** Where Tab stops, from the top; and whether one sees it. */
export async function keyboardWalk(page: Page, most: number): Promise<{ name: string; visible: boolean }[]> {
  const stops: { name: string; visible: boolean }[] = []
  for (let i = 0; i < most; i += 1) {
    await page.keyboard.press('Tab')
    const stop = await page.evaluate(() => {
      const element = document.activeElement
      if (!element || element === document.body) return undefined
      const input = element.tagName === 'INPUT' ? `${element.name}: ${element.value}` : ''
      const seen = element.closest('label') ?? element
      const box = seen.getBoundingClientRect()
      const { outlineStyle, outlineWidth } = getComputedStyle(seen)
      return {
        name: input || (element.id === 'chart' ? 'chart' : (element.textContent ?? '').trim()),
        visible:
          outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2 && box.width > 8 && box.top >= 0,
      }
    })
    if (!stop) break
    stops.push(stop)
  }
  return stops
}
