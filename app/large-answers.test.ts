import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { knownAssetRefs } from '../collectors/assets.ts'
import { askCatalog } from '../collectors/catalog.ts'
import { createHttpClient } from '../collectors/http.ts'
import { collectPage } from '../collectors/poll.ts'
import { coinpaprika } from '../collectors/providers/coinpaprika/index.ts'
import { openTestPoll } from '../collectors/testing/test-poll.ts'
import { parseIso } from '../core/time.ts'
import { VirtualClock } from '../core/virtual-clock.ts'
import { startSandbox } from '../sandbox/server.ts'
import { loadConfig } from './config/load.ts'

const signal = new AbortController().signal
const clock = new VirtualClock(parseIso('2026-11-21T12:00:30Z'))

/** The list as the twin has it, made as long as a report says that it was, by more rows like its last one. */
async function longList(path: string, rows: number): Promise<string> {
  const sandbox = await startSandbox({ clock })
  const list = (await (await fetch(`${sandbox.baseUrl('coinpaprika')}${path}`)).json()) as { id: string }[]
  await sandbox.close()
  const last = list.at(-1)
  const more = Array.from({ length: rows - list.length }, (_, n) => ({ ...last, id: `xyz-coin-${n}` }))
  return JSON.stringify([...list, ...more])
}

/** A server of that body, and the client with the limit that holds unless somebody sets another. */
async function open(body: string, maxBytes: number = loadConfig({}).httpMaxBytes) {
  const server = createServer((_, response) => response.end(body))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const test = await openTestPoll(origin, clock)
  const http = createHttpClient({ clock, allowedHosts: [], sandboxOrigin: origin, maxBytes })
  const ports = { ...test.ports, http, deadlineMs: 20_000 }
  const source = await test.source(coinpaprika, origin)
  const close = async (): Promise<void> => {
    http.close()
    await test[Symbol.asyncDispose]()
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  }
  return { ports, source, [Symbol.asyncDispose]: close }
}

async function collect(body: string, maxBytes?: number) {
  await using own = await open(body, maxBytes)
  const [dataset] = coinpaprika.datasets
  if (!dataset) throw new Error('coinpaprika has no dataset')
  const page = { assets: knownAssetRefs(coinpaprika), currency: 'USD' }
  const slot = 'coinpaprika/quotes/2026-11-21T12:00:00Z/0'
  return await collectPage(own.ports, { source: own.source, dataset, page, slot, signal })
}

it('takes 13,000 prices in one answer, which no 8 MB hold', async () => {
  const body = await longList('/v1/tickers?quotes=USD', 13_000)
  const records = knownAssetRefs(coinpaprika).length
  expect(await collect(body)).toMatchObject({ outcome: 'collected', records })
  expect(await collect(body, 8_000_000)).toMatchObject({ code: 'CRY_HTTP_TOO_LARGE', credits: 1 })
})

it('takes a list of 60,000 assets', async () => {
  await using own = await open(await longList('/v1/coins', 60_000))
  const result = await askCatalog(own.ports, own.source, signal)
  expect(result.kind === 'listed' ? result.entries.length : result.reason).toBe(60_000)
})
