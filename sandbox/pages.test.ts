import { get as httpGet } from 'node:http'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { FaultSpec } from './faults.ts'
import { sandboxKey } from './server.ts'
import { openTestSandbox, type TestSandbox } from './testing.ts'

const quote = '/v3/cryptocurrency/quotes/latest?id=1'
const last = (box: TestSandbox) => box.sandbox.meter.entries().at(-1)

/** The bytes as they are on the wire: fetch would inflate them and follow redirects. */
function rawGet(box: TestSandbox, most = Number.POSITIVE_INFINITY) {
  return new Promise<{ status: number; headers: Record<string, unknown>; body: Buffer }>(
    (resolve, reject) => {
      const headers = { 'x-cmc_pro_api_key': sandboxKey }
      const request = httpGet(`${box.sandbox.baseUrl('coinmarketcap')}${quote}`, { headers }, answer => {
        const chunks: Buffer[] = []
        const end = (): void =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) })
        answer.on('data', (chunk: Buffer) => {
          chunks.push(chunk)
          if (chunks.reduce((sum, c) => sum + c.length, 0) < most) return
          request.destroy()
          end()
        })
        answer.on('end', end)
      })
      request.on('error', reject)
    },
  )
}

describe('pages in the place of an answer', () => {
  it.each<[FaultSpec, number, Record<string, unknown>, string]>([
    [{ kind: 'html', type: 'application/json' }, 200, { 'content-type': 'application/json' }, 'Maintenance'],
    [{ kind: 'maintenance', retryAfterSeconds: 600 }, 503, { 'retry-after': '600' }, 'We will be back'],
    [{ kind: 'text', status: 502 }, 502, { 'content-type': 'text/plain' }, 'upstream connect error'],
    [
      { kind: 'cloudflare', retryAfterSeconds: 30 },
      429,
      { server: 'cloudflare', 'cf-ray': expect.stringContaining('-'), 'retry-after': '30' },
      '1015',
    ],
    [
      { kind: 'cloudflare', status: 200 },
      200,
      { 'content-type': 'text/html; charset=utf-8' },
      'being rate limited',
    ],
    [{ kind: 'redirect' }, 301, { location: 'https://api.example.com/v9' }, ''],
    [{ kind: 'error-200' }, 200, {}, '"error_code":"500"'],
    [{ kind: 'error-200', like: 'rate-limited' }, 200, {}, '"error_code":1008'],
    [{ kind: 'deprecated' }, 200, { deprecation: expect.stringMatching(/^@\d{10}$/) }, '{}'],
    [{ kind: 'deprecated', body: 'notice' }, 200, { sunset: 'Sun, 22 Nov 2026 12:00:30 GMT' }, 'retired'],
  ])('%j', async (fault, status, headers, text) => {
    await using box = await openTestSandbox({ faults: [fault] })
    const answer = await rawGet(box)
    expect(answer.status).toBe(status)
    expect(answer.headers).toMatchObject(headers)
    expect(answer.body.toString()).toContain(text)
    expect(last(box)).toMatchObject({ result: 'failed', credits: 0, values: [], faults: [fault.kind] })
  })

  it('are charged where the fault says so, and a deprecated API goes on to serve and to charge', async () => {
    await using box = await openTestSandbox({ faults: [{ kind: 'cloudflare', charged: true }] })
    await rawGet(box)
    expect(last(box)).toMatchObject({ result: 'failed', credits: 1 })
    box.sandbox.faults.add({ kind: 'deprecated', body: 'kept' })
    const { headers, body } = await rawGet(box)
    expect(headers).toHaveProperty('deprecation')
    expect(JSON.parse(body.toString()).data).toHaveLength(1)
    expect(last(box)).toMatchObject({ result: 'served', credits: 1, values: [{ sourceId: '1' }] })
  })
})

describe('bytes on the wire', () => {
  it('a gzip bomb: some kilobytes that hold so many megabytes', async () => {
    await using box = await openTestSandbox({ faults: [{ kind: 'gzip-bomb', megabytes: 20 }] })
    const { headers, body } = await rawGet(box)
    expect([headers['content-encoding'], body.length < 50_000]).toEqual(['gzip', true])
    expect(gunzipSync(body)).toHaveLength(20_000_000)
    expect(last(box)).toMatchObject({ result: 'lost', credits: 1, values: [{ sourceId: '1' }] })
  })

  it('a body without an end ends when the caller goes away', async () => {
    await using box = await openTestSandbox({ faults: [{ kind: 'endless-body' }] })
    const { headers } = await rawGet(box, 3_000_000)
    expect(headers['content-length']).toBeUndefined()
    await expect.poll(() => last(box)?.delivered, { interval: 2 }).toBe(false)
  })

  it('a big body is the good one with blanks in it', async () => {
    await using box = await openTestSandbox({ faults: [{ kind: 'big-body' }] })
    const { body } = await rawGet(box)
    expect(body).toHaveLength(5_000_000)
    expect(JSON.parse(body.toString()).data).toHaveLength(1)
    expect(last(box)).toMatchObject({ result: 'served', delivered: true })
  })

  it('a wrong type, and a wrong name of the encoding', async () => {
    await using box = await openTestSandbox({ faults: [{ kind: 'content-type' }] })
    const typed = await rawGet(box)
    expect([typed.headers['content-type'], JSON.parse(typed.body.toString()).data.length]).toEqual([
      'text/html; charset=utf-8',
      1,
    ])
    box.sandbox.faults.add({ kind: 'encoding-name' })
    const named = await rawGet(box)
    expect(named.headers['content-encoding']).toBe('br')
    expect(JSON.parse(gunzipSync(named.body).toString()).data).toHaveLength(1)
    expect(last(box)).toMatchObject({ result: 'lost', credits: 1 })
  })

  it('1 byte a second is one byte at a time', async () => {
    await using box = await openTestSandbox({ faults: [{ kind: 'slow-body', bytesPerSecond: 1 }] })
    expect((await rawGet(box, 1)).body).toHaveLength(1)
  })
})

describe('a changed body', () => {
  it('comes over HTTP, and the meter notes what it says', async () => {
    await using box = await openTestSandbox()
    const good = await box.cmc(quote)
    const faults = `${box.sandbox.url}/_sandbox/faults`
    const spec = { kind: 'change-body', change: 'scaled-price', digits: -3 }
    const headers = { 'content-type': 'application/json' }
    const added = await fetch(faults, { method: 'POST', headers, body: JSON.stringify(spec) })
    expect(added.status).toBe(200)
    const changed = await box.cmc(quote)
    const price = changed.json.data[0].quote[0].price
    expect(price).toBeCloseTo(good.json.data[0].quote[0].price / 1_000, 6)
    expect(Number(last(box)?.values[0]?.price)).toBe(price)
    expect(last(box)).toMatchObject({ result: 'served', faults: ['change-body'] })
  })

  it('two changes act one after the other; one without a place is not hit', async () => {
    await using box = await openTestSandbox()
    const ids = (['omitted-row', 'new-keys', 'null-price'] as const).map(change =>
      box.sandbox.faults.add({ kind: 'change-body', change }),
    )
    const { json } = await box.cmc(quote)
    expect(json.data[0]).toHaveProperty('tvl_share_v3')
    expect(json.data[0].quote[0].price).toBeNull()
    expect(ids.map(id => box.sandbox.faults.hits(id))).toEqual([0, 1, 1])
    expect(last(box)?.values).toEqual([])
  })

  it.each([
    [{ kind: 'change-body', change: 'nonsense' }, 'change is one of null-price'],
    [{ kind: 'deprecated', body: 'gone' }, 'body is one of empty, notice, kept'],
    [{ kind: 'error-200', like: 'x' }, 'like is one of'],
    [{ kind: 'delay', when: 'later' }, 'when is one of before, after'],
    [{ kind: 'gzip-bomb', megabytes: -1 }, 'megabytes must be 0 or more'],
  ])('refuses %j', async (spec, message) => {
    await using box = await openTestSandbox()
    expect(() => box.sandbox.faults.add(spec as never)).toThrow(message)
  })
})
