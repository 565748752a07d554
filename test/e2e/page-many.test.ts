import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ProviderId } from '../../core/brands.ts'
import { addMs } from '../../core/time.ts'
import { run } from '../../dashboards/web/fakes.contract.ts'
import { systemClock } from '../../host/clock.ts'
import { browserFile, openBrowser, openWorld, watchFor } from './page-browser.ts'
import { seenText, tooWide } from './page-looks.ts'

/** The page with the longest lists, and with nothing at all. Skipped without a browser, as page.test.ts says. */
const pictures = process.env['CRYPTOS_SCREENSHOTS']

describe.skipIf(browserFile === undefined)('the page with many assets, or without a source', () => {
  let browser: { context: BrowserContext; close: () => Promise<void> }
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(async () => {
    await browser?.close()
  })

  async function visit(url: string, width: number): Promise<{ page: Page; complaints: string[] }> {
    const page = await browser.context.newPage()
    const complaints = watchFor(page)
    await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' })
    await page.setViewportSize({ width, height: 900 })
    await page.goto(url)
    await page.locator('#state-text', { hasText: 'Connected' }).waitFor()
    return { page, complaints }
  }

  async function picture(page: Page, name: string): Promise<void> {
    if (pictures === undefined) return
    mkdirSync(pictures, { recursive: true })
    await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true })
  }

  const boxOf = async (page: Page, selector: string) => {
    const box = await page.locator(selector).boundingBox()
    if (box === null) throw new Error(`${selector} is not seen`)
    return { ...box, bottom: box.y + box.height }
  }

  it('keeps the list of 50 assets as long as the column beside it, and tells them apart', async () => {
    const world = await openWorld()
    for (let i = 0; i < 45; i += 1)
      await world.put(
        'coinmarketcap',
        `coinmarketcap:${91_000 + i}`,
        i === 0 ? '1.0109450045936e-11' : `${i}.5`,
      )
    const { page, complaints } = await visit(world.web.url, 1440)
    await page.locator('.asset').nth(49).waitFor()
    await page.locator('#chart canvas').waitFor()
    const [rail, list, providers] = [
      await boxOf(page, '.rail'),
      await boxOf(page, '#assets'),
      await boxOf(page, '.providers'),
    ]
    expect(Math.abs(rail.bottom - providers.bottom)).toBeLessThan(1)
    expect(list.bottom).toBeLessThanOrEqual(rail.bottom)
    expect((await boxOf(page, '#chart')).height).toBeLessThan(500)
    const names = await page.locator('.asset small').allTextContents()
    expect(new Set(names.filter(name => name.startsWith('coinmarketcap:'))).size).toBe(45)
    await picture(page, 'many-1440')
    const last = page.locator('.asset').last()
    await last.locator('input').check()
    await page.locator('#focus-title', { hasText: 'coinmarketcap:91044' }).waitFor()
    const seen = await last.boundingBox()
    expect((seen?.y ?? 0) + (seen?.height ?? 0)).toBeLessThanOrEqual(list.bottom + 1)
    expect(await page.locator('.more-below').count()).toBe(0)
    await page.setViewportSize({ width: 380, height: 900 })
    await expect.poll(() => tooWide(page)).toEqual([])
    expect((await boxOf(page, '.rail')).height).toBeLessThan(90)
    await picture(page, 'many-380')
    expect(complaints).toEqual([])
    await page.close()
    await world.close()
  })

  it('says in one sentence that no source answers, and not that all is well', async () => {
    const world = await openWorld({ empty: true })
    const now = systemClock.now()
    const failed = (provider: string) =>
      run({
        ...{ provider: ProviderId(provider), outcome: 'transport-error', records: 0 },
        ...{ reason: `no whole answer from api.${provider}.com (ENOTFOUND)` },
        ...{ startedAt: addMs(now, -900), endedAt: now },
      })
    world.status.ran = [failed('kraken'), failed('coinbase'), failed('mempool'), failed('bitstamp')]
    const { page, complaints } = await visit(world.web.url, 1440)
    await page.locator('#state[data-state=quiet]', { hasText: 'Connected, but no source answers' }).waitFor()
    await page.locator('#chart-empty', { hasText: 'No source answers' }).waitFor()
    expect(await seenText(page, '#chart-empty')).toBe(
      'No source answers (bitstamp, coinbase and 2 more: ENOTFOUND): check the network of this machine, or start “cryptos up --source sandbox” for simulated prices.',
    )
    await picture(page, 'no-source-1440')
    await page.setViewportSize({ width: 380, height: 900 })
    await expect.poll(() => tooWide(page)).toEqual([])
    await picture(page, 'no-source-380')
    world.status.ran = [run({ startedAt: now, endedAt: now }), ...world.status.ran]
    await world.put('kraken', 'bitcoin', '84278.7')
    await page.locator('#hero', { hasText: '84,278.70' }).waitFor()
    await page.locator('#state[data-state=live]').waitFor()
    expect(complaints).toEqual([])
    await page.close()
    await world.close()
  })
})
