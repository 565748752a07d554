import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { AssetId, Credits, DecimalString, EpochMicros, ProviderId } from '../../core/brands.ts'
import { type Asset, assets } from '../../core/assets.ts'
import type { ChangeFeed, QuoteReader, SourceView } from '../../core/ports/reader.ts'
import type { MarketRecord, Quote } from '../../core/records.ts'
import { addMs, HOUR, MINUTE } from '../../core/time.ts'
import { FakeStatus, run, scopeStatus } from '../../dashboards/web/fakes.contract.ts'
import { startWeb, type Web } from '../../dashboards/web/server.ts'
import { systemClock } from '../../host/clock.ts'
import { openSqliteReader } from '../../processors/sinks/sqlite/reader.ts'
import { openSqliteSink } from '../../processors/sinks/sqlite/sink.ts'

/** The page over the real store in a real browser: what page.test.ts stands on. */

const candidates = [
  process.env['CRYPTOS_CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
]
export const browserFile = candidates.find(file => file !== undefined && existsSync(file))

export async function openBrowser(): Promise<{ context: BrowserContext; close: () => Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'cryptos-browser-'))
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: browserFile ?? '',
    headless: true,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  const close = async (): Promise<void> => {
    await context.close()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  return { context, close }
}

/** Console errors, broken rules of the Content-Security-Policy, uncaught errors and dialogs: all that must not be. */
export function watchFor(page: Page): string[] {
  const complaints: string[] = []
  page.on('console', message => {
    if (['error', 'warning'].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`)
  })
  page.on('pageerror', error => complaints.push(`uncaught: ${error.message}`))
  page.on('dialog', dialog => {
    complaints.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  return complaints
}

const quote = (
  provider: string,
  asset: Pick<Asset, 'id' | 'symbol'>,
  price: string,
  at: EpochMicros,
): Quote => ({
  kind: 'quote',
  provider: ProviderId(provider),
  asset: asset.id,
  symbol: asset.symbol,
  sourceId: asset.id,
  currency: 'USD',
  price: DecimalString(price),
  observedAt: at,
  observedBy: 'source',
  receivedAt: at,
  revision: 0,
  origin: 'live',
  runId: 'e2e',
  credits: Credits(0),
  rawRef: 'e2e',
})

/** A reader that notes from where changes were asked for. */
function spyOn(reader: QuoteReader & ChangeFeed, asked: number[]): QuoteReader & ChangeFeed {
  return {
    latest: filter => reader.latest(filter),
    history: query => reader.history(query),
    changes: (after, limit) => {
      asked.push(after)
      return reader.changes(after, limit)
    },
    newestChange: () => reader.newestChange(),
    oldestChange: () => reader.oldestChange(),
    rows: range => reader.rows(range),
    onChange: callback => reader.onChange(callback),
    close: () => reader.close(),
  }
}

export const evilSymbol = '<img src=x onerror=alert(1)>'

export interface PageWorldOptions {
  readonly simulated?: string | null
  readonly empty?: boolean
  /** How many minutes of prices there are; two hours without it. */
  readonly minutes?: number
  /** Three without it. */
  readonly providers?: readonly string[]
}

const three = ['coinbase', 'coinmarketcap', 'kraken']

/** Prices in a real store, and a server over it. */
export async function openWorld(options: PageWorldOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'cryptos-page-'))
  const file = join(folder, 'series.db')
  const sink = await openSqliteSink({ file, clock: systemClock })
  let end = 0
  let judgedEnd = 0
  const write = async (...quotes: Quote[]): Promise<void> => {
    const source = {
      group: 'e2e',
      topic: 'market.quotes.v1',
      partition: 0,
      first: end,
      end: end + quotes.length,
    }
    end = source.end
    await sink.write(quotes, source)
  }
  const put = (provider: string, id: string, price: string, at = systemClock.now()): Promise<void> => {
    const asset = assets.find(a => a.id === id) ?? { id: AssetId(id), symbol: evilSymbol }
    return write(quote(provider, asset, price, at))
  }
  const judge = async (...records: MarketRecord[]): Promise<void> => {
    const source = {
      ...{ group: 'e2e', topic: 'market.records.v1', partition: 0 },
      ...{ first: judgedEnd, end: judgedEnd + records.length },
    }
    judgedEnd = source.end
    await sink.market.write(records, source)
  }
  if (!options.empty) await write(...past(options.minutes ?? 120, options.providers ?? three))
  const reader = await openSqliteReader({ file })
  const status = new FakeStatus()
  if (!options.empty) fillStatus(status)
  const asked: number[] = []
  const serve = (port: number): Promise<Web> =>
    startWeb({
      port,
      reader: spyOn(reader, asked),
      feed: reader,
      market: reader,
      status,
      clock: systemClock,
      simulated: options.simulated ?? null,
      version: '0.0.0-e2e',
    })
  const world = {
    web: await serve(0),
    put,
    judge,
    status,
    asked,
    newest: () => reader.newestChange(),
    restart: async (): Promise<void> => {
      world.web = await serve(world.web.port)
    },
    close: async (): Promise<void> => {
      await world.web.close()
      await reader.close()
      await sink.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return world
}

function past(count: number, providers: readonly string[]): Quote[] {
  const now = systemClock.now()
  const minutes = Array.from({ length: count }, (_, i) => i)
  return minutes.flatMap(i =>
    assets.slice(0, providers.length > 3 ? 6 : 5).flatMap((asset, a) =>
      providers.map((provider, p) => {
        const wave = Math.round(Math.sin(i / 9 + a) * 4_000 + i * 30 + p * 210)
        const at = EpochMicros(addMs(now, (i - count) * MINUTE) + p)
        return quote(
          provider,
          asset,
          `${80_000 - a * 7_000 + Math.floor(wave / 100)}.${String(Math.abs(wave % 100)).padStart(2, '0')}`,
          at,
        )
      }),
    ),
  )
}

function fillStatus(status: FakeStatus): void {
  const now = systemClock.now()
  const month = {
    window: 'month',
    limit: 10_000,
    used: 9_612,
    reserved: 1,
    left: 387,
    resetsAt: addMs(now, 200 * HOUR),
  } as const
  const minute = {
    window: 'minute',
    limit: 30,
    used: 3,
    reserved: 1,
    left: 26,
    resetsAt: addMs(now, MINUTE),
  } as const
  status.scopes = [
    scopeStatus({ windows: [minute, month], runsOutAt: addMs(now, 50 * HOUR), lastReconciledAt: now }),
    scopeStatus({
      scope: 'ip:api.kraken.com',
      provider: ProviderId('kraken'),
      frozen: 'an operator said so',
    }),
  ]
  status.providers = [
    sourceOf('kraken', 'Kraken'),
    {
      ...sourceOf('coindesk', 'CoinDesk'),
      ...{ isOn: false, offSince: '2025-02-12', why: 'CoinDesk is off since 2025-02-12: its host is gone' },
    },
    { ...sourceOf('bitstamp', 'Bitstamp'), isOn: false, why: 'not on the list of CRYPTOS_PROVIDERS' },
  ]
  const ended = { startedAt: addMs(now, -900), endedAt: now }
  status.ran = [
    run(ended),
    run({ ...ended, outcome: 'denied-by-quota', reason: 'the month has no credits left' }),
    run({ ...ended, outcome: 'transport-error', reason: 'no whole answer within 20 s' }),
  ]
}

const sourceOf = (provider: string, title: string): SourceView => ({
  ...{
    provider: ProviderId(provider),
    title,
    doc: `Prices of ${title}`,
    isOn: true,
    why: null,
    offSince: null,
  },
  ...{ access: 'keyless', currency: 'USD', datasets: ['quotes', 'history'], attribution: null },
})
