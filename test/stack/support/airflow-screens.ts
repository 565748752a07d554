import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { openBrowser } from '../../e2e/page-browser.ts'

/** Where the pictures go; nowhere without it. */
const pictures = process.env['CRYPTOS_SCREENSHOTS']

const collectDags = ['binance', 'bitstamp', 'coinbase', 'coinmarketcap', 'kraken'].map(
  name => `collect_${name}`,
)

/** How Airflow draws success. */
const tickMark = 'M20 6 9 17l-5-5'

interface Place {
  readonly url: string
  readonly passwordsFile: string
}

/** DAG list, grid with success and skipped, and the quota page in the navigation, as a person sees them. */
export async function keepScreens(place: Place, dag: string): Promise<void> {
  const { context, close } = await openBrowser()
  try {
    const page = await context.newPage()
    const elsewhere: string[] = []
    page.on('request', request => {
      if (!request.url().startsWith(place.url) && /^https?:/.test(request.url()))
        elsewhere.push(request.url())
    })
    await page.setViewportSize({ width: 1400, height: 900 })
    await login(page, place)
    await page.goto(`${place.url}/dags?limit=50`)
    await page.getByText('collect_kraken').first().waitFor({ timeout: 60_000 })
    const list = await page.locator('body').innerText()
    for (const name of collectDags) expect(list, 'the list of DAGs').toContain(name)
    await keep(page, 'airflow-dags')
    await page.goto(`${place.url}/dags/${dag}`)
    await widen(page)
    await keep(page, 'airflow-grid')
    const squares = page.locator(`[data-testid^="grid-"][data-testid$="-quotes"]`)
    const isCollected = await squares.evaluateAll(
      (all, mark) => all.map(s => s.innerHTML.includes(mark)),
      tickMark,
    )
    // Skipped ones have another sign.
    expect(new Set(isCollected), 'collected and skipped in the grid').toEqual(new Set([true, false]))
    await page.goto(place.url)
    await page.getByText('Quota', { exact: true }).first().click({ timeout: 60_000 })
    const frame = page.frameLocator('iframe')
    await frame.getByText('collect_coinmarketcap').first().waitFor({ timeout: 60_000 })
    const text = await frame.locator('body').innerText()
    for (const word of ['coinmarketcap', 'kraken', 'denied', 'collect_coinmarketcap'])
      expect(text).toContain(word)
    await keep(page, 'airflow-quota')
    expect(elsewhere).toEqual([])
  } finally {
    await close()
  }
}

async function login(page: Page, { url, passwordsFile }: Place): Promise<void> {
  const { admin = '' } = JSON.parse(readFileSync(passwordsFile, 'utf8')) as Record<string, string>
  await page.goto(url)
  await page.fill('input[name=username]', 'admin', { timeout: 60_000 })
  await page.fill('input[name=password]', admin)
  await page.keyboard.press('Enter')
  await page.waitForURL(u => !u.pathname.includes('login'), { timeout: 60_000 })
}

/** The grid lies in the left part of the page, which shows only the oldest runs until it is drawn wider. */
async function widen(page: Page): Promise<void> {
  const handle = page.locator('[data-panel-resize-handle-id], [data-separator], [role=separator]').first()
  await handle.waitFor({ timeout: 60_000 })
  const box = await handle.boundingBox()
  if (!box) throw new Error('the grid has no handle')
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 3]
  await page.mouse.move(x, y)
  await page.mouse.down()
  await page.mouse.move(x + 500, y, { steps: 10 })
  await page.mouse.up()
}

/** After what moves on the page has come to rest. */
async function keep(page: Page, name: string): Promise<void> {
  await sleep(3_000)
  if (pictures) await page.screenshot({ path: join(pictures, `${name}.png`) })
}
