import { describe, expect, it } from 'vitest'
import { sandboxKey } from './server.ts'
import { openTestSandbox } from './testing.ts'
import type { TestSandbox } from './testing.ts'

const quote = '/v3/cryptocurrency/quotes/latest?id=1'
const used = async (box: TestSandbox): Promise<number> =>
  (await box.cmc('/v1/key/info')).json.data.usage.current_month.credits_used
const last = (box: TestSandbox) => box.sandbox.meter.entries().at(-1)

describe('faults', () => {
  it('server-error, not charged: 500 in the endpoint’s envelope, and the counter stands still', async () => {
    await using box = await openTestSandbox()
    const id = box.sandbox.faults.add({ kind: 'server-error', charged: false, times: 2 })
    for (const status of [500, 500, 200]) expect((await box.cmc(quote)).status).toBe(status)
    expect([box.sandbox.faults.hits(id), box.sandbox.faults.hits('server-error'), await used(box)]).toEqual([
      2, 2, 1,
    ])
    expect(box.sandbox.meter.entries()[0]).toMatchObject({
      result: 'failed',
      code: '500',
      credits: 0,
      values: [],
      faults: ['server-error'],
    })
  })

  it('server-error, charged: the body says nothing of it, the counter does', async () => {
    await using box = await openTestSandbox()
    box.sandbox.faults.add({ kind: 'server-error', charged: true, status: 503 })
    const answer = await box.cmc(quote)
    expect([answer.status, answer.json.status.credit_count]).toEqual([503, 0])
    expect(last(box)).toMatchObject({ credits: 1, result: 'failed' })
    expect(await used(box)).toBe(1)
  })

  it.each([undefined, 7])('rate-limited with Retry-After %s: made up, so no violation', async seconds => {
    await using box = await openTestSandbox()
    box.sandbox.faults.add({
      kind: 'rate-limited',
      times: 3,
      ...(seconds ? { retryAfterSeconds: seconds } : {}),
    })
    const keyed = await box.cmc(quote)
    expect([keyed.status, keyed.json.status.error_code]).toEqual([429, 1008])
    expect(keyed.headers.get('retry-after')).toBe(seconds ? '7' : null)
    expect((await box.get('/kraken/0/public/Ticker?pair=XBTUSD')).json).toEqual({
      error: ['EGeneral:Too many requests'],
    })
    expect((await box.get('/coinbase/products/BTC-USD/ticker')).status).toBe(429)
    expect([box.sandbox.faults.hits('rate-limited'), box.sandbox.meter.violations, await used(box)]).toEqual([
      3, 0, 0,
    ])
  })

  it('lost-answer: charged and noted with its values, but the caller gets nothing', async () => {
    await using box = await openTestSandbox()
    box.sandbox.faults.add({ kind: 'lost-answer' })
    await expect(box.cmc(quote)).rejects.toThrow('fetch failed')
    expect(last(box)).toMatchObject({ result: 'lost', credits: 1, delivered: false, faults: ['lost-answer'] })
    expect(last(box)?.values).toHaveLength(1)
    expect([box.sandbox.faults.hits('lost-answer'), await used(box)]).toEqual([1, 1])
  })

  it('cut-body: the promised length, fewer bytes, a dead connection', async () => {
    await using box = await openTestSandbox()
    const whole = (await box.cmc(quote)).text
    box.sandbox.faults.add({ kind: 'cut-body', bytes: 100 })
    const response = await fetch(`${box.sandbox.baseUrl('coinmarketcap')}${quote}`, {
      headers: { 'x-cmc_pro_api_key': sandboxKey },
    })
    expect(Number(response.headers.get('content-length'))).toBe(whole.length)
    let received = 0
    const read = async (): Promise<void> => {
      for await (const chunk of response.body ?? []) received += chunk.length
    }
    await expect(read()).rejects.toThrow('terminated')
    expect(received).toBe(100)
    expect(last(box)).toMatchObject({ result: 'lost', credits: 1, delivered: false })
    expect(box.sandbox.faults.hits('cut-body')).toBe(1)
  })

  it('slow-body: the same bytes in many pieces', async () => {
    await using box = await openTestSandbox()
    const whole = (await box.cmc(quote)).json.data
    box.sandbox.faults.add({ kind: 'slow-body', bytesPerSecond: 20_000 })
    const response = await fetch(`${box.sandbox.baseUrl('coinmarketcap')}${quote}`, {
      headers: { 'x-cmc_pro_api_key': sandboxKey },
    })
    const chunks: Uint8Array[] = []
    for await (const chunk of response.body ?? []) chunks.push(chunk)
    expect(chunks.length).toBeGreaterThan(1)
    expect(JSON.parse(Buffer.concat(chunks).toString()).data).toEqual(whole)
    expect([last(box)?.result, box.sandbox.faults.hits('slow-body')]).toEqual(['served', 1])
  })

  it('slow-body ends when the caller goes away, and the meter knows', async () => {
    await using box = await openTestSandbox()
    box.sandbox.faults.add({ kind: 'slow-body', bytesPerSecond: 100 })
    const abort = new AbortController()
    const response = await fetch(`${box.sandbox.baseUrl('coinmarketcap')}${quote}`, {
      headers: { 'x-cmc_pro_api_key': sandboxKey },
      signal: abort.signal,
    })
    expect(response.status).toBe(200)
    abort.abort()
    await expect.poll(() => last(box)?.delivered, { interval: 2 }).toBe(false)
    expect(last(box)).toMatchObject({ result: 'served', credits: 1 })
  })

  it('delay after: charged in the minute of the call, answered in the next; delay before: charged in the next', async () => {
    await using box = await openTestSandbox({}, '2026-11-30T23:59:59Z')
    box.sandbox.faults.add({ kind: 'delay', virtualMs: 2_000 })
    box.sandbox.faults.add({ kind: 'delay', virtualMs: 2_000, when: 'before', skip: 1 })
    const first = box.cmc(quote)
    await expect.poll(() => box.sandbox.faults.hits('delay'), { interval: 2 }).toBe(1)
    await expect.poll(() => last(box)?.credits, { interval: 2 }).toBe(1)
    expect(last(box)?.delivered).toBeNull()
    box.clock.advance(2_000)
    expect((await first).headers.get('date')).toBe('Mon, 30 Nov 2026 23:59:59 GMT')
    box.clock.jump(-2_000)
    const second = box.cmc(quote)
    await expect.poll(() => box.sandbox.faults.hits('delay'), { interval: 2 }).toBe(2)
    box.clock.advance(2_000)
    expect((await second).headers.get('date')).toBe('Tue, 01 Dec 2026 00:00:01 GMT')
    const months = box.sandbox.meter.summary().scopes[0]?.months.map(month => month.credits)
    expect(months).toEqual([1, 1])
  })

  it('delay in real time', async () => {
    await using box = await openTestSandbox()
    box.sandbox.faults.add({ kind: 'delay', ms: 30 })
    const startedAt = performance.now()
    expect((await box.cmc(quote)).status).toBe(200)
    expect(performance.now() - startedAt).toBeGreaterThan(25)
    expect(box.sandbox.faults.hits('delay')).toBe(1)
  })

  it('foreign-use: another program charges the key, up to its limit and not a credit more', async () => {
    await using box = await openTestSandbox({ plan: { creditsPerMonth: 100 } })
    box.sandbox.faults.add({ kind: 'foreign-use', credits: 40, endpoint: '/v1/key/info' })
    expect(await used(box)).toBe(40)
    box.sandbox.faults.add({ kind: 'foreign-use', credits: 1_000 })
    expect((await box.cmc(quote)).json.status.error_code).toBe(1010)
    expect(await used(box)).toBe(100)
    expect(box.sandbox.faults.hits('foreign-use')).toBe(2)
    const [scope] = box.sandbox.meter.summary().scopes
    expect([scope?.foreignCredits, box.sandbox.meter.violationList.map(v => v.what)]).toEqual([100, ['1010']])
  })

  it('overcharge: twice the price, and the body says so', async () => {
    await using box = await openTestSandbox()
    box.sandbox.faults.add({ kind: 'overcharge', times: 2 })
    // Free calls are not made dearer, so they do not use the fault up.
    expect((await box.cmc('/v1/key/info')).status).toBe(200)
    expect((await box.cmc(quote)).json.status.credit_count).toBe(2)
    box.sandbox.faults.clear()
    box.sandbox.faults.add({ kind: 'overcharge', factor: 5 })
    expect((await box.cmc(quote)).json.status.credit_count).toBe(5)
    expect([await used(box), box.sandbox.faults.hits('overcharge')]).toEqual([7, 2])
  })

  it('html: a page with 200', async () => {
    await using box = await openTestSandbox()
    box.sandbox.faults.add({ kind: 'html' })
    const answer = await box.cmc(quote)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    expect(answer.text).toContain('<html>')
    expect([
      await used(box),
      box.sandbox.faults.hits('html'),
      box.sandbox.meter.summary().counts['failed'],
    ]).toEqual([0, 1, 1])
  })

  it('replace-body: whatever a test wants to see', async () => {
    await using box = await openTestSandbox()
    box.sandbox.faults.add({ kind: 'replace-body', body: '{"data":', charged: true })
    const response = await fetch(`${box.sandbox.baseUrl('coinmarketcap')}${quote}`, {
      headers: { 'x-cmc_pro_api_key': sandboxKey },
    })
    expect([response.status, await response.text(), await used(box)]).toEqual([200, '{"data":', 1])
    expect(box.sandbox.faults.hits('replace-body')).toBe(1)
  })

  it('clock-offset: the Date header alone is wrong', async () => {
    await using box = await openTestSandbox()
    box.sandbox.faults.add({ kind: 'clock-offset', ms: -3_600_000 })
    const wrong = await box.cmc(quote)
    expect(wrong.headers.get('date')).toBe('Sat, 21 Nov 2026 11:00:30 GMT')
    expect(wrong.json.status.timestamp).toBe('2026-11-21T12:00:30.000Z')
    expect((await box.cmc(quote)).headers.get('date')).toBe('Sat, 21 Nov 2026 12:00:30 GMT')
    expect(box.sandbox.faults.hits('clock-offset')).toBe(1)
  })
})

describe('which calls a fault meets', () => {
  it('goes by provider, endpoint, number of calls to let pass, and number of hits', async () => {
    await using box = await openTestSandbox()
    box.sandbox.faults.add({
      kind: 'server-error',
      charged: false,
      provider: 'coinmarketcap',
      endpoint: '/v3/',
      skip: 1,
      times: 1,
    })
    const statuses: number[] = []
    for (const path of ['/v2/simple/price?id=1', quote, '/v2/simple/price?id=1', quote, quote])
      statuses.push((await box.cmc(path)).status)
    expect(statuses).toEqual([200, 200, 200, 500, 200])
    expect((await box.get('/coinbase/products/BTC-USD/ticker')).status).toBe(200)
    expect(box.sandbox.faults.list()).toMatchObject([{ id: 1, hits: 1, left: 0 }])
  })

  it('has no end with times null, until all are cleared', async () => {
    await using box = await openTestSandbox({ faults: [{ kind: 'html', times: null }] })
    for (let call = 0; call < 3; call += 1) expect((await box.cmc(quote)).text).toContain('<html>')
    box.sandbox.faults.clear()
    expect((await box.cmc(quote)).json.data).toHaveLength(1)
    expect([box.sandbox.faults.hits('html'), box.sandbox.faults.list()]).toEqual([3, []])
  })

  it('does not replace a refusal, and waits for a call that would have been served', async () => {
    await using box = await openTestSandbox({ plan: { callsPerMinute: 1 } })
    await box.cmc(quote)
    box.sandbox.faults.add({ kind: 'server-error', charged: true })
    expect((await box.cmc(quote)).json.status.error_code).toBe(1008)
    expect(box.sandbox.faults.hits('server-error')).toBe(0)
    box.clock.advance(60_000)
    expect((await box.cmc(quote)).status).toBe(500)
  })

  it('hits exactly as often as asked among calls at once', async () => {
    await using box = await openTestSandbox()
    box.sandbox.faults.add({ kind: 'delay', ms: 5, when: 'before', times: null })
    box.sandbox.faults.add({ kind: 'server-error', charged: false, times: 3 })
    const answers = await Promise.all(Array.from({ length: 10 }, () => box.cmc(quote)))
    expect(answers.filter(answer => answer.status === 500)).toHaveLength(3)
    expect(box.sandbox.faults.hits('server-error')).toBe(3)
  })

  it.each([
    [{ kind: 'nonsense' }, 'kind is one of'],
    [{ kind: 'slow-body' }, 'bytesPerSecond must be a number'],
    [{ kind: 'server-error', charged: 'yes' }, 'charged must be a boolean'],
    [{ kind: 'html', chargd: true }, 'html has no member "chargd"'],
    [{ kind: 'html', provider: 'nobody' }, 'provider is one of'],
    [{ kind: 'html', times: -1 }, 'times must be 0 or more'],
    [[], 'a fault is an object'],
  ])('refuses %j', async (spec, message) => {
    await using box = await openTestSandbox()
    expect(() => box.sandbox.faults.add(spec as never)).toThrow(message)
  })
})
