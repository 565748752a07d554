import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { CryptosError } from '../core/errors.ts'
import type { Ledger } from '../core/ports/ledger.ts'
import { parseIso } from '../core/time.ts'
import { knownAssetRefs } from './assets.ts'
import type { Dataset, MappingContext } from './provider.ts'
import { mapEntry } from './publish-messages.ts'
import { collectPage } from './poll.ts'
import type { PageTask, PollPorts } from './poll-types.ts'
import { shapes } from './providers/coinmarketcap/fixtures/shapes.ts'
import { coinmarketcap } from './providers/coinmarketcap/index.ts'
import { openTestPoll, type TestPoll } from './testing/test-poll.ts'
import { reconcileUsage } from './usage.ts'
import { gatewayError, keyInfo2026 } from './providers/coinmarketcap/fixtures/shapes.ts'

const key = 'poll-test-key'
const slot = 'coinmarketcap/quotes/2026-11-21T12:00:00.000Z/0'
const good = shapes['v3 list']!
const opened: AsyncDisposable[] = []
const steps: string[] = []
const onStep = (message: unknown): void => void steps.push((message as { step: string }).step)

afterEach(async () => {
  unsubscribe('cryptos:step', onStep)
  steps.length = 0
  for (const thing of opened.splice(0).reverse()) await thing[Symbol.asyncDispose]()
})

interface Setup extends TestPoll {
  readonly task: PageTask
  calls(): number
  used(): Promise<number>
}

/** CoinMarketCap played by one listener, asked for bitcoin. */
async function setup(listener: RequestListener, signal = new AbortController().signal): Promise<Setup> {
  let calls = 0
  const server = createServer((request, response) => {
    calls += 1
    listener(request, response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  opened.push({
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  })
  const test = await openTestPoll(origin)
  opened.push(test)
  const source = await test.source(coinmarketcap, origin, key)
  const page = { assets: knownAssetRefs(coinmarketcap).slice(0, 1), currency: 'USD' }
  subscribe('cryptos:step', onStep)
  return {
    ...test,
    task: { source, dataset: coinmarketcap.datasets[0]!, page, slot, signal },
    calls: () => calls,
    async used() {
      const [status] = await test.ledger.status(test.clock.now())
      const month = status?.windows.find(w => w.window === 'month')
      return (month?.used ?? -1) + 1_000 * (month?.reserved ?? -1)
    },
  }
}

describe('one page', () => {
  it('reserves, sends, settles with the answer, in this order; the next run finds the answer', async () => {
    const test = await setup((_, response) => response.end(good))
    const result = await collectPage(test.ports, test.task)
    expect(result).toEqual({
      ...{ outcome: 'collected', reason: '1 price', slot, runId: 'id-1', credits: 1, records: 1 },
      answerId: `${slot}#1`,
    })
    expect(steps).toEqual(['reserve', 'sent', 'received', 'settled'])
    expect(await test.used()).toBe(1)
    const [entry] = await test.ledger.outbox.pending(10)
    expect(Buffer.from(entry!.body).toString()).toBe(good)

    let published = 0
    const publish = async () => {
      published += 1
      return { held: true }
    }
    expect(await collectPage({ ...test.ports, publish }, test.task)).toMatchObject({
      outcome: 'published',
      credits: 0,
    })
    expect(published).toBe(1)
    await test.ledger.outbox.markPublished([entry!.answerId], test.clock.now())
    expect(await collectPage(test.ports, test.task)).toMatchObject({ outcome: 'already-done' })
    expect(test.calls()).toBe(1)
    expect((await test.ledger.runs(9)).map(r => r.outcome)).toEqual([
      'already-done',
      'published',
      'collected',
    ])
  })

  it('charges nothing for a refusal and tells when to come back; a slot is tried twice at most', async () => {
    const test = await setup((_, response) => {
      response.statusCode = 429
      response.end(gatewayError(1008, 'slow down'))
    })
    const first = await collectPage(test.ports, test.task)
    expect(first).toMatchObject({
      outcome: 'rate-limited',
      credits: 0,
      retryAt: parseIso('2026-11-21T12:01:00Z'),
    })
    const denied = await collectPage(test.ports, test.task)
    expect(denied).toMatchObject({ outcome: 'denied-by-quota', retryAt: first.retryAt })
    expect(test.calls()).toBe(1)
    test.clock.advance((first.retryAt! - test.clock.now()) / 1_000)
    expect(await collectPage(test.ports, test.task)).toMatchObject({ outcome: 'rate-limited' })
    expect(await collectPage(test.ports, test.task)).toMatchObject({ outcome: 'slot-exhausted' })
    expect([test.calls(), await test.used()]).toEqual([2, 0])
  })

  it('keeps the full cost of an answer that was lost, and of a 5xx', async () => {
    const lost = await setup((request, _) => request.socket.destroy())
    expect(await collectPage(lost.ports, lost.task)).toMatchObject({ outcome: 'transport-error', credits: 1 })
    expect([lost.calls(), await lost.used()]).toEqual([1, 1])
    const broken = await setup((_, response) => {
      response.statusCode = 500
      response.end(gatewayError('500', 'busy'))
    })
    expect(await collectPage(broken.ports, broken.task)).toMatchObject({
      outcome: 'provider-error',
      credits: 1,
    })
    expect(await broken.used()).toBe(1)
  })

  it('keeps an answer that no mapping understands: it was paid for', async () => {
    const test = await setup((_, response) => response.end(good.replace('"quote"', '"qoute"')))
    expect(await collectPage(test.ports, test.task)).toMatchObject({ outcome: 'payload-invalid', credits: 1 })
    expect(await test.ledger.outbox.pending(10)).toHaveLength(1)
  })

  it('costs nothing when the permit runs out before the connection is open', async () => {
    const test = await setup((_, response) => response.end(good))
    const late: Ledger = Object.assign(Object.create(test.ledger) as Ledger, {
      reserve: async (request: Parameters<Ledger['reserve']>[0]) => {
        const decision = await test.ledger.reserve(request)
        test.clock.advance(6_000)
        return decision
      },
      settle: test.ledger.settle.bind(test.ledger),
      addRun: test.ledger.addRun.bind(test.ledger),
    })
    const result = await collectPage({ ...test.ports, ledger: late }, test.task)
    expect(result).toMatchObject({ outcome: 'transport-error', credits: 0 })
    expect(result.reason).toMatch(/permit/)
    expect([test.calls(), await test.used()]).toEqual([0, 0])
  })

  it('stopped during a call: the cost stays, the outcome says so', async () => {
    const stop = new AbortController()
    const test = await setup(() => stop.abort(), stop.signal)
    expect(await collectPage(test.ports, test.task)).toMatchObject({ outcome: 'aborted', credits: 1 })
    expect(await test.used()).toBe(1)
    expect(await collectPage(test.ports, test.task)).toMatchObject({ outcome: 'aborted', credits: 0 })
    expect([test.calls(), await test.used()]).toEqual([1, 1])
  })

  it('sends nothing without a ledger, without a permit, and while frozen', async () => {
    const test = await setup((_, response) => response.end(good))
    const reserve = (): Promise<never> => Promise.reject(new CryptosError('CRY_DISK_FULL', 'no space left'))
    const noLedger = {
      ...test.ports,
      ledger: { reserve, addRun: () => Promise.resolve() } as unknown as Ledger,
    }
    expect(await collectPage(noLedger, test.task)).toMatchObject({
      outcome: 'ledger-unavailable',
      reason: 'no call was made: no space left',
    })
    await test.ledger.freeze(null, 'by hand', test.clock.now())
    expect(await collectPage(test.ports, test.task)).toMatchObject({ outcome: 'frozen' })
    await test.ledger.unfreeze(null, test.clock.now())
    const dear = { ...test.task.dataset, costMax: () => 20_000 as never }
    expect(await collectPage(test.ports, { ...test.task, dataset: dear })).toMatchObject({
      outcome: 'denied-by-quota',
    })
    expect(test.calls()).toBe(0)
  })

  describe('where the ledger fails after the call', () => {
    /** The ledger's settle, which fails so often; the clock goes on while the poll waits. */
    const failing = (test: Setup, times: number, error = new CryptosError('CRY_STORE_BUSY', 'in use')) => {
      const { clock, ledger } = test
      let tries = 0
      const settle: Ledger['settle'] = settlement => {
        tries += 1
        return tries > times ? ledger.settle(settlement) : Promise.reject(error)
      }
      const sleep = async (ms: number, signal?: AbortSignal) => {
        signal?.throwIfAborted()
        clock.advance(ms)
      }
      const bound = { reserve: ledger.reserve.bind(ledger), addRun: ledger.addRun.bind(ledger), settle }
      const time = { now: () => clock.now(), monotonicMs: () => clock.monotonicMs(), sleep }
      const ports: PollPorts = { ...test.ports, clock: time, ledger: bound as unknown as Ledger }
      return { ports, tries: () => tries }
    }

    it('settles again until it is stored: the answer that was paid for is kept, once', async () => {
      const test = await setup((_, response) => response.end(good))
      const { ports, tries } = failing(test, 5)
      expect(await collectPage(ports, test.task)).toMatchObject({ outcome: 'collected', records: 1 })
      expect([tries(), test.calls(), await test.used()]).toEqual([6, 1, 1])
      expect(await test.ledger.outbox.pending(9)).toHaveLength(1)
    })

    it('gives up when the permit is reaped, and at once where no wait helps', async () => {
      const test = await setup((_, response) => response.end(good))
      const started = test.clock.now()
      const late = await collectPage(failing(test, 1_000).ports, test.task)
      expect(late).toMatchObject({ outcome: 'ledger-unavailable', credits: 1 })
      const waitedMs = (test.clock.now() - started) / 1_000
      expect(waitedMs).toBeGreaterThanOrEqual(52_000)
      expect(waitedMs).toBeLessThan(55_000)
      const task = { ...test.task, slot: `${slot}b` }
      const damaged = failing(test, 1_000, new CryptosError('CRY_STORE_CORRUPT', 'torn'))
      expect(await collectPage(damaged.ports, task)).toMatchObject({ outcome: 'ledger-unavailable' })
      expect(damaged.tries()).toBe(1)
    })

    it('tries for 3 s more after a signal to stop', async () => {
      const stop = new AbortController()
      const test = await setup(() => stop.abort(), stop.signal)
      const { ports, tries } = failing(test, 1_000)
      const started = test.clock.now()
      expect(await collectPage(ports, test.task)).toMatchObject({ outcome: 'ledger-unavailable' })
      expect((test.clock.now() - started) / 1_000).toBe(3_000)
      expect(tries()).toBeGreaterThan(10)
    })
  })

  it('reads its answer in the same context as the publisher', async () => {
    const test = await setup((_, response) => response.end(good))
    const contexts: MappingContext[] = []
    const dataset: Dataset = {
      ...test.task.dataset,
      map: (body, context) => {
        contexts.push(context)
        return test.task.dataset.map(body, context)
      },
    }
    await collectPage(test.ports, { ...test.task, dataset })
    const [entry] = await test.ledger.outbox.pending(1)
    mapEntry([{ ...coinmarketcap, datasets: [dataset] }], entry!)
    expect(contexts).toHaveLength(2)
    expect(contexts[0]).toEqual(contexts[1])
    expect(contexts[0]!.rawRef).toBe(`${slot}#1`)
  })

  it("a broker that is away is not the run's failure: the answer waits", async () => {
    const test = await setup((_, response) => response.end(good))
    const warned: string[] = []
    const log = { info: () => undefined, warn: (_: object, message: string) => void warned.push(message) }
    const publish = (): Promise<never> => Promise.reject(new CryptosError('CRY_SERVER_BUSY', 'no broker'))
    const ports: PollPorts = { ...test.ports, publish, log }
    expect(await collectPage(ports, test.task)).toMatchObject({ outcome: 'collected' })
    expect(warned).toEqual(['the answer waits in the outbox: no broker'])
  })
})

describe('the usage call', () => {
  it("gives the provider's word to the ledger and costs a call, but no credit", async () => {
    const test = await setup((request, response) => {
      expect(request.headers['x-cmc_pro_api_key']).toBe(key)
      response.end(keyInfo2026)
    })
    const signal = new AbortController().signal
    expect(await reconcileUsage(test.ports, test.task.source, signal)).toEqual({ kind: 'reconciled' })
    const [status] = await test.ledger.status(test.clock.now())
    expect(status?.windows.find(w => w.window === 'month')).toMatchObject({
      limit: 15_000,
      used: 412,
      reserved: 0,
    })
    expect(status?.windows.find(w => w.window === 'minute')).toMatchObject({ limit: 50, used: 1 })
  })

  it('is not made while frozen, and says so in the words of the operator', async () => {
    const test = await setup((_, response) => response.end(keyInfo2026))
    await test.ledger.freeze(null, 'holiday', test.clock.now())
    const result = await reconcileUsage(test.ports, test.task.source, new AbortController().signal)
    expect(result).toEqual({ kind: 'denied', outcome: 'frozen', reason: 'holiday' })
    expect(test.calls()).toBe(0)
  })

  it('tells a wrong key from other failures', async () => {
    const test = await setup((_, response) => {
      response.statusCode = 401
      response.end(gatewayError(1001, 'This API Key is invalid.'))
    })
    const result = await reconcileUsage(test.ports, test.task.source, new AbortController().signal)
    expect(result).toMatchObject({ kind: 'failed', unauthorized: true })
    expect(JSON.stringify(result)).not.toContain(key)
  })
})
