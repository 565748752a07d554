import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CryptosError } from '../core/errors.ts'
import { parseIso } from '../core/time.ts'
import { knownAssetRefs } from './assets.ts'
import { collectPage } from './poll.ts'
import type { PageResult, PageTask, PollPorts } from './poll-types.ts'
import { shapes } from './providers/coinmarketcap/fixtures/shapes.ts'
import { coinmarketcap } from './providers/coinmarketcap/index.ts'
import { openTestPoll, type TestPoll } from './testing/test-poll.ts'

const slot = 'coinmarketcap/quotes/2026-11-21T12:00:00.000Z/0'
const soon = parseIso('2026-11-21T12:00:40Z')

describe('a run that must publish', () => {
  let test: TestPoll
  let task: PageTask
  let calls = 0
  const server = createServer((_, response) => {
    calls += 1
    response.end(shapes['v3 list'])
  })
  beforeEach(async () => {
    calls = 0
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    test = await openTestPoll(origin)
    const page = { assets: knownAssetRefs(coinmarketcap).slice(0, 1), currency: 'USD' }
    const source = await test.source(coinmarketcap, origin, 'publish-own-key')
    const signal = new AbortController().signal
    task = { source, dataset: coinmarketcap.datasets[0]!, page, slot, signal }
  })
  afterEach(async () => {
    await test[Symbol.asyncDispose]()
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })

  const away = (): Promise<never> => Promise.reject(new CryptosError('CRY_SERVER_BUSY', 'no broker'))
  const publishAll = async (): Promise<{ held: boolean }> => {
    const entries = await test.ledger.outbox.pending(10)
    await test.ledger.outbox.markPublished(
      entries.map(e => e.answerId),
      test.clock.now(),
    )
    return { held: true }
  }
  const collect = (publish: PollPorts['publish']): Promise<PageResult> =>
    collectPage({ ...test.ports, publishWithinMs: 500, ...(publish ? { publish } : {}) }, task)

  it('is to be tried again while the broker is away; the same slot then publishes without a call', async () => {
    const waits = { outcome: 'unpublished', code: 'CRY_SERVER_BUSY', answerId: `${slot}#1`, retryAt: soon }
    const reason = '1 price; the answer waits in the outbox: no broker'
    expect(await collect(away)).toMatchObject({ ...waits, reason, credits: 1, records: 1 })
    expect(await test.ledger.runs(1)).toMatchObject([{ outcome: 'unpublished', reason, credits: 1 }])
    expect(await collect(away)).toMatchObject({ ...waits, credits: 0 })
    expect(await collect(publishAll)).toMatchObject({ outcome: 'published', credits: 0 })
    expect(await collect(away)).toMatchObject({ outcome: 'already-done' })
    expect(calls).toBe(1)
  })

  it('waits a while for another process that publishes, and ends well when that one had the answer', async () => {
    let rounds = 0
    const busy = async (): Promise<{ held: boolean }> => {
      rounds += 1
      if (rounds === 3) await publishAll()
      return { held: false }
    }
    expect(await collect(busy)).toMatchObject({ outcome: 'collected', reason: '1 price' })
    expect(rounds).toBe(3)
  })

  it('does not wait for it for ever', async () => {
    const busy = (): Promise<{ held: boolean }> => Promise.resolve({ held: false })
    const end = await collect(busy)
    expect(end).toMatchObject({ outcome: 'unpublished', records: 1 })
    expect(end.reason).toMatch(/another process publishes, and is not done yet$/)
    expect(end).not.toHaveProperty('code')
    expect(await collect(busy)).toMatchObject({ outcome: 'unpublished', records: 0 })
    expect(calls).toBe(1)
  })
})
