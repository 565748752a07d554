import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AssetId, DecimalString, EpochMicros, ProviderId } from '../../core/brands.ts'
import type { Consensus, Serving, SourceFlag } from '../../core/records.ts'
import { addMs, MINUTE, SECOND } from '../../core/time.ts'
import { systemClock } from '../../host/clock.ts'
import { startSandbox } from '../../sandbox/server.ts'
import { startCryptos } from '../support/program.ts'
import { scratch } from '../support/scratch.ts'
import { browserFile, evilSymbol, openBrowser, openWorld, watchFor } from './page-browser.ts'
import { chartColors, lowContrast, nextFrames, placeOf, seenText, tooWide } from './page-looks.ts'

/** What the page says of the judge: who serves, the consensus, doubts; and of all sources. */

const isMissing = browserFile === undefined
if (isMissing) {
  const message = 'SKIPPED: no Chromium found, the page is not tested in a browser. Set CRYPTOS_CHROMIUM.'
  if (process.env['CI'] === 'true') throw new Error(message)
  console.warn(message)
}

const eight = [
  'binance',
  'bitcoinaverage',
  'coinbase',
  'coindesk',
  'coinmarketcap',
  'coinpaprika',
  'kraken',
  'mempool',
]
const bitcoin = { asset: AssetId('bitcoin'), currency: 'USD' }
/** The judge's last whole minute. */
const lastMinute = (): EpochMicros => {
  const now = systemClock.now()
  return EpochMicros(now - (now % (MINUTE * 1_000)))
}

/** A consensus of sources; those with a reason do not count. */
function consensusOf(
  at: EpochMicros,
  sources: Record<string, string | null>,
  more: Partial<Consensus> = {},
): Consensus {
  const all = Object.entries(sources).map(([provider, excluded]) => ({
    ...{
      provider: ProviderId(provider),
      price: DecimalString('80040.5'),
      observedAt: addMs(at, -5 * SECOND),
    },
    ...{ ageMs: 5_000, excluded },
  }))
  return {
    ...{
      kind: 'consensus',
      ...bitcoin,
      symbol: 'BTC',
      at,
      price: DecimalString('80040.5'),
      mad: DecimalString('1.5'),
    },
    ...{
      spreadPercent: DecimalString('0.02'),
      isDivergent: false,
      sources: all,
      receivedAt: addMs(at, 3_000),
    },
    ...{ origin: 'live', ...more },
  }
}
function servingOf(at: EpochMicros, provider: string | null, skipped: Record<string, string> = {}): Serving {
  return {
    ...{
      kind: 'serving',
      role: 'spot',
      ...bitcoin,
      at,
      provider: provider === null ? null : ProviderId(provider),
    },
    price: provider === null ? null : DecimalString('80041.25'),
    observedAt: provider === null ? null : addMs(at, -5 * SECOND),
    skipped: Object.entries(skipped).map(([name, why]) => ({ provider: ProviderId(name), why })),
    ...{ receivedAt: addMs(at, 3_000), origin: 'live' },
  }
}
const flagOf = (at: EpochMicros, provider: string, more: Partial<SourceFlag> = {}): SourceFlag => ({
  ...{ kind: 'source-flag', provider: ProviderId(provider), ...bitcoin, observedAt: addMs(at, -5 * SECOND) },
  ...{
    flag: 'frozen-value',
    since: addMs(at, -20 * MINUTE),
    evidence: `the same digits for 20 min ${evilSymbol}`,
  },
  ...{ receivedAt: addMs(at, 3_000), origin: 'live', ...more },
})
const frozenWhy = `frozen-value since ${new Date(Date.now() - 20 * MINUTE).toISOString()}`

describe.skipIf(isMissing)('the judge on the page', () => {
  let browser: Awaited<ReturnType<typeof openBrowser>>
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(async () => {
    await browser?.close()
  })

  async function visit(url: string, look: { width?: number; scheme?: 'dark' | 'light' } = {}) {
    const page = await browser.context.newPage()
    const complaints = watchFor(page)
    await page.emulateMedia({ colorScheme: look.scheme ?? 'dark', reducedMotion: 'reduce' })
    await page.setViewportSize({ width: look.width ?? 1440, height: 900 })
    await page.goto(url)
    await page.locator('#tiles li').nth(2).waitFor()
    await page.locator('#chart canvas').waitFor()
    return { page, complaints }
  }
  const told = (page: Page, selector: string, text: string | RegExp) =>
    page.locator(selector, { hasText: text }).waitFor({ timeout: 15_000 })

  it('says that nothing was judged yet, then who serves and why not the first choice, without a reload', async () => {
    const world = await openWorld({ minutes: 30 })
    const { page, complaints } = await visit(world.web.url)
    await told(page, '#served', /^Not judged yet: the first fresh price by name/)
    await told(page, '#consensus', /^No consensus yet/)
    await told(page, '#tiles', 'Not judged yet')
    const top = await placeOf(page, '#chart')
    const at = lastMinute()
    // Its price may be stored before its records are: the page asks again.
    await world.put('consensus', 'bitcoin', '80040.5', at)
    await page.waitForResponse('**/api/v1/flags/latest')
    await world.judge(
      consensusOf(at, { coinbase: null, coinmarketcap: null, kraken: frozenWhy }),
      servingOf(at, 'coinbase', { kraken: `insane: ${frozenWhy}` }),
      flagOf(at, 'kraken'),
    )
    await told(page, '#served', /^Served by coinbase; kraken skipped: frozen value since /)
    await told(
      page,
      '#consensus',
      /^Consensus 80,040.50 USD: median of 2 of 3 sources at \d\d:\d\d, MAD 1.50, 0.02 % apart$/,
    )
    expect(await seenText(page, '#hero-sub')).toMatch(/served by coinbase$/)
    expect(await placeOf(page, '#chart')).toBe(top)
    // The consensus is no source: no tile, no choice, no part of the spread; but a line.
    expect(await page.locator('#tiles h3').allTextContents()).toEqual(['coinbase', 'coinmarketcap', 'kraken'])
    expect(await page.locator('#provider-choice label').count()).toBe(4)
    expect(await seenText(page, '#spread')).toMatch(/of the 2 that count$/)
    expect(await page.locator('#spread').getAttribute('title')).not.toMatch(/kraken|consensus/)
    await expect
      .poll(() => page.locator('#chart').getAttribute('aria-label'))
      .toContain('Consensus (median) last')
    expect(complaints).toEqual([])
    await page.close()
    await world.close()
  })

  it('opens reason and evidence by keyboard, as text, and keeps them open while prices move', async () => {
    const world = await openWorld({ minutes: 30 })
    const at = lastMinute()
    await world.judge(
      consensusOf(at, { coinbase: null, coinmarketcap: null, kraken: frozenWhy }),
      servingOf(at, 'coinbase', { kraken: `insane: ${frozenWhy}` }),
      flagOf(at, 'kraken'),
    )
    const { page, complaints } = await visit(world.web.url)
    const kraken = page.locator('#tiles li', { hasText: 'kraken' }).first()
    const summary = kraken.locator('summary', { hasText: /^Does not count: frozen value since \d\d:\d\d$/ })
    await summary.waitFor()
    await summary.focus()
    await page.keyboard.press('Enter')
    await told(page, '#tiles li li', `the same digits for 20 min ${evilSymbol}`)
    await page.locator('#served summary').focus()
    await page.keyboard.press('Enter')
    expect(await seenText(page, '#served')).toMatch(/kraken: insane: frozen-value since \d\d:\d\d/)
    await world.put('coinbase', 'bitcoin', '80042.5')
    await page.locator('#hero[title^="80042.5 USD"]').waitFor()
    expect(await page.locator('#served details[open], .standing details[open]').count()).toBe(2)
    expect(await page.locator('#tiles img').count()).toBe(0)
    expect(complaints).toEqual([])
    await page.close()
    await world.close()
  })

  it('holds a price of who serves that is far from what was judged', async () => {
    const world = await openWorld({ minutes: 30 })
    const at = lastMinute()
    await world.judge(consensusOf(at, { coinbase: null, kraken: null }), servingOf(at, 'kraken'))
    const { page } = await visit(world.web.url)
    await told(page, '#served', 'Served by kraken, the first choice')
    await world.put('kraken', 'bitcoin', '80041250')
    await told(page, '#served', 'its newest price waits for the judge')
    expect(await seenText(page, '#hero')).toBe('80,041.25 USD')
    await page.close()
    await world.close()
  })

  it('shows no number where no source is fit, and says since when there is no consensus', async () => {
    const world = await openWorld({ minutes: 30 })
    const at = lastMinute()
    await world.judge(
      consensusOf(addMs(at, -3 * MINUTE), { coinbase: null, kraken: null }),
      servingOf(at, null, { coinbase: 'dead: no value for 12 min', kraken: 'dead: no value for 12 min' }),
    )
    const { page, complaints } = await visit(world.web.url)
    await told(page, '#served', 'No source is fit to serve. coinbase and kraken skipped: no value for 12 min')
    expect(await seenText(page, '#hero')).toBe('– USD')
    expect(await page.title()).toBe('BTC – USD · cryptos')
    expect(await page.locator('.asset .num').first().textContent()).toBe('–')
    await told(page, '#consensus', /^No consensus since \d\d:\d\d: no source counts$/)
    await page.locator('input[name=provider][value=kraken]').check()
    await told(page, '#hero', /^\d/)
    expect(complaints).toEqual([])
    await page.close()
    await world.close()
  })

  it('is honest with one source, and warns when sources disagree', async () => {
    const world = await openWorld({ minutes: 30 })
    let at = lastMinute()
    await world.judge(consensusOf(at, { kraken: null }), servingOf(at, 'kraken'))
    const { page } = await visit(world.web.url)
    await told(page, '#consensus', 'One source only, kraken: nothing to compare its price with')
    at = EpochMicros(at + 1)
    await world.judge(
      consensusOf(
        at,
        { coinbase: null, kraken: null },
        { isDivergent: true, spreadPercent: DecimalString('2.5') },
      ),
      servingOf(at, 'kraken'),
      flagOf(at, 'consensus', { observedAt: at, flag: 'divergence', evidence: '2 sources lie 2.5 % apart' }),
    )
    await world.put('consensus', 'bitcoin', '80040.5', at)
    await told(page, '#consensus', /^Sources disagree: 2.50 % apart/)
    await page.locator('#consensus summary').click()
    await told(page, '#consensus li', '2 sources lie 2.5 % apart')
    await page.close()
    await world.close()
  })

  it('lists every source, the closed ones with date and reason', async () => {
    const world = await openWorld({ minutes: 30 })
    const { page } = await visit(world.web.url, { width: 360 })
    await told(page, '#sources-count', '1 of 3 are on')
    const closed = page.locator('#sources li', { hasText: 'CoinDesk' })
    expect(await closed.innerText()).toMatch(
      /Off[\s\S]*CoinDesk is off since 2025-02-12: its host is gone[\s\S]*without a key · in USD · quotes, history/,
    )
    expect(await closed.locator('time').getAttribute('datetime')).toBe('2025-02-12')
    expect(await closed.locator('.why').isVisible()).toBe(true)
    expect(await page.locator('#sources li', { hasText: 'Bitstamp' }).innerText()).toContain(
      'not on the list of CRYPTOS_PROVIDERS',
    )
    await page.close()
    await world.close()
  })

  it.each([360, 760, 1440])(
    'stays whole with eight providers and six assets at %i px, and nothing moves under the cursor',
    async width => {
      const world = await openWorld({ providers: [...eight, 'consensus'], minutes: 60 })
      const at = lastMinute()
      const all = Object.fromEntries(
        eight.map(p => [p, p === 'mempool' ? `outlier since ${new Date().toISOString()}` : null]),
      )
      await world.judge(
        consensusOf(at, all),
        servingOf(at, 'kraken', { mempool: 'dead: no value for 12 min' }),
      )
      for (const scheme of ['dark', 'light'] as const) {
        const { page, complaints } = await visit(world.web.url, { width, scheme })
        await told(page, '#served', /^Served by kraken; mempool skipped/)
        expect(await page.locator('#tiles > li').count()).toBe(8)
        expect([scheme, await tooWide(page)]).toEqual([scheme, []])
        expect([scheme, await lowContrast(page)]).toEqual([scheme, []])
        const median = scheme === 'dark' ? '223 230 238' : '61 72 85'
        await expect.poll(() => chartColors(page)).toContain(median)
        const top = await placeOf(page, '#chart')
        await page.locator('#chart').hover({ position: { x: width / 3, y: 80 } })
        await nextFrames(page)
        expect(await seenText(page, '#readout')).toMatch(/Consensus \(median\) [\d,.]+/)
        expect(await placeOf(page, '#chart')).toBe(top)
        expect(complaints).toEqual([])
        await page.close()
      }
      await world.close()
    },
  )

  it('says within two minutes of a real `up` that a source jumped, who serves instead, and the consensus', async () => {
    using folder = scratch('page-judge')
    const sandbox = await startSandbox({ clock: systemClock })
    const jump = { kind: 'change-body', change: 'scaled-price', digits: 3, all: true, times: null } as const
    sandbox.faults.add({ ...jump, provider: 'coinmarketcap' })
    const env = { CRYPTOS_DATA_DIR: folder.path, CRYPTOS_SOURCE: 'sandbox', CRYPTOS_SANDBOX_URL: sandbox.url }
    const up = startCryptos(['up', '--port', '0', '--json'], env)
    await up.says('"url"')
    const { page, complaints } = await visit(String((JSON.parse(up.said.stdout) as { url: string }).url))
    const within = { timeout: 130_000 }
    await page
      .locator('#served', { hasText: /^Served by \w+; coinmarketcap skipped: unit jump since \d\d:\d\d/ })
      .waitFor(within)
    await page.locator('#consensus', { hasText: /median of [3-7] of [4-8] sources/ }).waitFor(within)
    const tile = page.locator('#tiles li', { hasText: 'coinmarketcap' }).first()
    await tile.locator('summary').click()
    expect(await tile.innerText()).toMatch(/1e3 times the median of \d other sources/)
    expect(await seenText(page, '#hero')).toMatch(/^\d\d,\d{3}\.\d\d USD$/)
    expect(await page.locator('#sources li').count()).toBeGreaterThanOrEqual(9)
    expect(complaints).toEqual([])
    await page.close()
    up.child.kill('SIGTERM')
    expect((await up.ended).code).toBe(0)
    await sandbox.close()
  })
})
