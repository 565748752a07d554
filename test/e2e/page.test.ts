import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browserFile, evilSymbol, openBrowser, openWorld, watchFor } from './page-browser.ts'
import {
  chartColors,
  chosenTheme,
  inkAndGround,
  keyboardWalk,
  lowContrast,
  nextFrames,
  ringGap,
  rowsOf,
  seenText,
  tooWide,
} from './page-looks.ts'

const isMissing = browserFile === undefined
if (isMissing) {
  const message = 'SKIPPED: no Chromium found, the page is not tested in a browser. Set CRYPTOS_CHROMIUM.'
  if (process.env['CI'] === 'true') throw new Error(message)
  console.warn(message)
}

describe.skipIf(isMissing)('the page in a real browser', () => {
  let browser: { context: BrowserContext; close: () => Promise<void> }
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(async () => {
    await browser?.close()
  })

  async function visit(
    url: string,
    look: {
      width?: number
      height?: number
      scheme?: 'dark' | 'light'
      before?: (page: Page) => Promise<void>
    } = {},
  ): Promise<{ page: Page; complaints: string[] }> {
    const page = await browser.context.newPage()
    const complaints = watchFor(page)
    await page.emulateMedia({ colorScheme: look.scheme ?? 'dark', reducedMotion: 'reduce' })
    await page.setViewportSize({ width: look.width ?? 1440, height: look.height ?? 900 })
    await look.before?.(page)
    await page.goto(url)
    return { page, complaints }
  }

  const untilLoaded = async (page: Page): Promise<void> => {
    await page.locator('#state[data-state=live]').waitFor()
    await page.locator('#tiles li').nth(2).waitFor()
    await page.locator('#chart canvas').waitFor()
  }

  it('shows moving prices, the spread, the quota and the runs, without one complaint of the browser', async () => {
    const world = await openWorld()
    const { page, complaints } = await visit(world.web.url)
    await untilLoaded(page)
    for (const price of ['91234.56000001', '91235.1', '91236.77']) {
      await world.put('kraken', 'bitcoin', price)
      await page.locator(`#tiles [title^="${price} USD"]`).waitFor()
    }
    await world.put('coinbase', 'bitcoin', '91236.70000000000000001')
    await page.locator('#spread[title*="91236.70000000000000001"], #spread[title*="91236.77"]').waitFor()
    expect(await seenText(page, '#tiles')).toContain('91,236.77 USD')
    expect(await page.title()).toMatch(/^BTC 9[\d,.]+ USD · cryptos$/)
    expect(await seenText(page, '#quota')).toMatch(
      /387 left of 10,000[\s\S]*9,612 used · 1 reserved\s+resets .*in 8 d/,
    )
    expect(await seenText(page, '#quota')).toMatch(/Runs out .* in 2 d/)
    expect(await seenText(page, '#quota')).toContain('Frozen an operator said so')
    expect(await seenText(page, '#runs')).toMatch(/denied-by-quota\s+the month has no credits left/)
    expect(await page.locator('#chart').getAttribute('aria-label')).toMatch(
      /^Bitcoin in USD in the last hour: coinbase last [\d,.]+, lowest [\d,.]+, highest [\d,.]+; coinmarketcap/,
    )
    expect(await page.locator('#chart-table td').count()).toBe(30)
    expect(await page.locator('#banner').count()).toBe(0)
    expect(complaints).toEqual([])
    await page.close()
    await world.close()
  })

  it('goes on after a lost connection where it was, and says so in between', async () => {
    const world = await openWorld()
    const { page } = await visit(world.web.url)
    await untilLoaded(page)
    await world.put('kraken', 'bitcoin', '70001.5')
    await page.locator('#tiles [title^="70001.5 USD"]').waitFor()
    const before = await world.newest()
    await world.web.close()
    await page.locator('#state[data-state=reconnecting]').waitFor()
    expect(await seenText(page, '#state')).toMatch(/^Reconnecting, stale since \d\d:\d\d:\d\d$/)
    await world.put('coinbase', 'ethereum', '4321.25')
    await world.put('kraken', 'bitcoin', '70002.5')
    await expect.poll(world.newest).toBeGreaterThanOrEqual(before + 2)
    world.asked.length = 0
    await world.restart()
    await page.locator('#tiles [title^="70002.5 USD"]').waitFor()
    await page.locator('.asset [title="4321.25 USD by coinbase"]').waitFor()
    await page.locator('#state[data-state=live]').waitFor()
    expect(world.asked[0]).toBe(before)
    await page.close()
    await world.close()
  })

  it('keeps its order when live prices are faster than the first load', async () => {
    const world = await openWorld()
    const before = async (page: Page): Promise<void> => {
      await page.route('**/api/v1/latest', async route => {
        const newest = await world.newest()
        await world.put('coinbase', 'cardano', '0.75')
        // What comes after the new change is asked for once that one was sent.
        await expect.poll(() => world.asked.includes(newest + 1), { timeout: 10_000 }).toBe(true)
        await route.continue()
      })
    }
    const { page, complaints } = await visit(world.web.url, { before })
    await untilLoaded(page)
    await page.locator('.asset [title="0.75 USD by coinbase"]').waitFor()
    expect(await seenText(page, '#focus-title')).toBe('Bitcoin BTC')
    expect(await page.locator('.asset b').allTextContents()).toEqual(['BTC', 'ETH', 'SOL', 'XRP', 'ADA'])
    expect(await page.locator('#tiles h3').allTextContents()).toEqual(['coinbase', 'coinmarketcap', 'kraken'])
    expect(complaints).toEqual([])
    await page.close()
    await world.close()
  })

  it('shows what a provider calls a coin as text, whatever it is', async () => {
    const world = await openWorld({ simulated: '<b onclick=alert(2)>made up</b>' })
    const { page, complaints } = await visit(world.web.url)
    await untilLoaded(page)
    await world.put('kraken', 'coinmarketcap:666', '1.5')
    const row = page.locator('.asset', { hasText: evilSymbol })
    await row.waitFor()
    await row.locator('input').check()
    await page.locator('#focus-title', { hasText: evilSymbol }).waitFor()
    expect(await page.title()).toContain(evilSymbol)
    expect(await page.locator('main img').count()).toBe(0)
    expect(await seenText(page, '#banner')).toContain('<b onclick=alert(2)>made up</b>')
    expect(complaints).toEqual([])
    await page.close()
    await world.close()
  })

  it('says what will happen while nothing is there yet, and fills in when it comes', async () => {
    const world = await openWorld({ empty: true })
    const { page, complaints } = await visit(world.web.url)
    await page.locator('#chart-empty', { hasText: 'Waiting' }).waitFor()
    await page.locator('#state[data-state=live]').waitFor()
    expect(await seenText(page, 'main')).toMatch(
      /Each asset appears here[\s\S]*Waiting for the first prices[\s\S]*No quota yet[\s\S]*No runs yet/,
    )
    await world.put('kraken', 'bitcoin', '84278.7')
    await page.locator('#hero', { hasText: '84,278.70' }).waitFor()
    expect(await seenText(page, '#spread')).toBe('One provider so far: a spread needs two')
    expect(complaints).toEqual([])
    await page.close()
    await world.close()
  })

  it('tells the same change of the same prices in every range, and since when', async () => {
    const world = await openWorld({ minutes: 40 })
    const { page } = await visit(world.web.url)
    await untilLoaded(page)
    await world.put('kraken', 'bitcoin', '82000')
    await page.locator('#tiles [title^="82000 USD"]').waitFor()
    await page.locator('input[value=kraken]').check()
    const told: string[] = []
    for (const range of ['24h', '7d', 'all', '1h']) {
      const loaded = page.waitForResponse('**/api/v1/history?**')
      await page.locator(`input[name=range][value="${range}"]`).check()
      await (await loaded).finished()
      await nextFrames(page)
      told.push(await seenText(page, '#hero-sub'))
    }
    expect(new Set(told).size).toBe(1)
    expect(told[0]).toMatch(/^▲ \+2\.\d\d % since (\d+ \w+, )?\d\d:\d\d, by kraken$/)
    await page.close()
    await world.close()
  })

  it('tells no change of one price, and draws a lone point beside lines', async () => {
    const world = await openWorld({ empty: true })
    const { page } = await visit(world.web.url)
    await world.put('coinbase', 'bitcoin', '80000')
    await page
      .locator('#hero-sub', { hasText: /^– with one price since (\d+ \w+, )?\d\d:\d\d, by coinbase$/ })
      .waitFor()
    await page.locator('#chart canvas').waitFor()
    for (const price of ['80100', '80200', '80300']) {
      await page.waitForTimeout(10)
      await world.put('kraken', 'bitcoin', price)
      await page.locator(`#tiles [title^="${price} USD"]`).waitFor()
    }
    // The first series' colour: its one point is there beside the other's line.
    await expect.poll(() => chartColors(page)).toContain('110 168 255')
    expect(await seenText(page, '#state')).toBe('Connected')
    await page.close()
    await world.close()
  })

  it('keeps the width of a price, whichever provider sent it with however many digits', async () => {
    const world = await openWorld()
    const { page } = await visit(world.web.url)
    await untilLoaded(page)
    for (const price of ['142.7', '142.91940001']) {
      await world.put('kraken', 'solana', price)
      await world.put('coinbase', 'solana', price)
      await page.locator(`.asset [title="${price} USD by coinbase"]`).waitFor()
    }
    expect(await seenText(page, '.asset:nth-of-type(3) .num')).toBe('142.92')
    expect(await seenText(page, '#assets legend')).toBe('Assets by coinbase')
    await page.close()
    await world.close()
  })

  it('is whole on a phone, and readable in dark and in light', async () => {
    const world = await openWorld({ simulated: 'Prices come from the sandbox.' })
    const grounds = new Set<string>()
    for (const scheme of ['dark', 'light'] as const)
      for (const width of [360, 1100, 1440]) {
        const { page, complaints } = await visit(world.web.url, { scheme, width, height: 760 })
        await untilLoaded(page)
        expect([scheme, width, await tooWide(page)]).toEqual([scheme, width, []])
        expect([width, await rowsOf(page, '#provider-choice label')]).toEqual([width, 1])
        expect([width, await page.locator('.rail .more-right').count()]).toEqual([
          width,
          width === 360 ? 1 : 0,
        ])
        expect([scheme, width, await lowContrast(page)]).toEqual([scheme, width, []])
        await page.mouse.wheel(0, 900)
        expect(await page.locator('#banner').boundingBox()).toMatchObject({ x: 0, y: 0 })
        grounds.add(await inkAndGround(page))
        expect(complaints).toEqual([])
        await page.close()
      }
    expect(grounds.size).toBe(2)
    await world.close()
  })

  it('keeps the theme that was chosen, and draws the chart in it', async () => {
    const world = await openWorld()
    const { page } = await visit(world.web.url, { scheme: 'dark' })
    await untilLoaded(page)
    const lines = () => chartColors(page)
    const dark = [await inkAndGround(page), await lines()] as const
    await page.locator('#theme').click()
    await expect.poll(lines).toContain('29 99 216')
    expect((await lines()).filter(color => color === '110 168 255')).toEqual([])
    expect(dark[1]).toContain('110 168 255')
    expect(await inkAndGround(page)).not.toBe(dark[0])
    await page.reload()
    await untilLoaded(page)
    expect(await chosenTheme(page)).toBe('light')
    await page.locator('#theme').click()
    await page.close()
    await world.close()
  })

  it('can be used with the keyboard alone', async () => {
    const world = await openWorld()
    const { page } = await visit(world.web.url)
    await untilLoaded(page)
    const stops = await keyboardWalk(page, 14)
    expect(stops.filter(stop => !stop.visible)).toEqual([])
    const names = stops.map(stop => stop.name)
    expect(names).toEqual([
      'Skip to the prices',
      'Light theme',
      'asset: bitcoin USD',
      'provider: all',
      'range: 1h',
      'chart',
      ...['Prices as JSON', 'Consensus as JSON', 'Quota as JSON', 'Health'],
    ])
    await page.locator('input[name=range]:checked').focus()
    await page.keyboard.press('ArrowRight')
    await page.locator('#hero-sub', { hasText: 'since' }).waitFor()
    await page.locator('input[name=asset]:checked').focus()
    const loaded = page.waitForResponse('**/api/v1/history?asset=ethereum**')
    await page.keyboard.press('ArrowDown')
    await page.locator('#focus-title', { hasText: 'Ethereum' }).waitFor()
    await (await loaded).finished()
    await nextFrames(page)
    expect(await page.locator('#announce').textContent()).toMatch(/^Ethereum: [\d.]+ USD by /)
    await page.locator('input[name=provider]:checked').focus()
    await page.keyboard.press('ArrowRight')
    await page.locator('#hero-sub', { hasText: 'by coinbase' }).waitFor()
    await nextFrames(page)
    const chart = page.locator('#chart')
    const values = async () =>
      Promise.all(['now', 'max', 'text'].map(name => chart.getAttribute(`aria-value${name}`)))
    await chart.focus()
    expect(await ringGap(page)).toBeGreaterThan(0)
    const [, count, range] = await values()
    await page.keyboard.press('Home')
    expect(await values()).toEqual([
      '1',
      count,
      expect.stringMatching(/coinbase [\d,.]+ USD, point 1 of \d+$/),
    ])
    await page.keyboard.press('ArrowRight')
    expect((await values())[0]).toBe('2')
    await page.keyboard.press('End')
    expect((await values())[0]).toBe(count)
    await page.keyboard.press('Escape')
    expect(await values()).toEqual([count, count, range])
    expect(range).toMatch(/^Lowest/)
    expect(new URL(page.url()).hash).toBe('#asset=ethereum+USD&provider=coinbase&range=6h')
    await page.reload()
    await page.locator('#focus-title', { hasText: 'Ethereum' }).waitFor()
    await page.close()
    await world.close()
  })
})
