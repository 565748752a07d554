import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { MINUTE, parseIso } from '../core/time.ts'
import { knownAssetRefs } from './assets.ts'
import { collectDataset } from './dataset.ts'
import { shapes } from './providers/coinmarketcap/fixtures/shapes.ts'
import { coinmarketcap } from './providers/coinmarketcap/index.ts'
import { openTestPoll } from './testing/test-poll.ts'

it('a run by hand that makes the second try of another period asks for what failed, and pays nothing twice', async () => {
  let calls = 0
  const server = createServer((_, response) => {
    calls += 1
    response.statusCode = calls === 2 ? 502 : 200
    response.end(shapes['v3 list'])
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await using test = await openTestPoll(origin)
  const source = await test.source(coinmarketcap, origin, 'run-slots-key')
  const refs = knownAssetRefs(coinmarketcap)
  const task = {
    ...{ source, dataset: coinmarketcap.datasets[0]!, reserveShare: 0, intervalMs: 10 * MINUTE },
    pages: [0, 1].map(i => ({ assets: refs.slice(i, i + 1), currency: 'USD' })),
    signal: new AbortController().signal,
  }
  const pagesOf = async (more: object = {}) => {
    const swept = await collectDataset(test.ports, { ...task, ...more })
    return swept.kind === 'swept' ? swept.pages.map(page => [page.slot, page.outcome]) : swept.kind
  }
  const first = await pagesOf()
  expect(first).toHaveLength(2)
  expect(calls).toBe(2)
  test.clock.advance(MINUTE + 5_000)
  const again = await pagesOf({
    ...{ periodStart: parseIso('2026-11-21T12:01:00Z'), ifDue: true, run: 'manual__1' },
  })
  // The slots of the first sweep, not of the run; the one that was answered is not asked again.
  const slots = (pages: typeof first) => (typeof pages === 'string' ? pages : pages.map(([slot]) => slot))
  expect(slots(again)).toEqual(slots(first))
  expect(calls).toBe(3)
  server.closeAllConnections()
  await new Promise(resolve => server.close(resolve))
})
