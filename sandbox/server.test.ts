import { request } from 'node:http'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../host/clock.ts'
import { recordedSeries } from './prices.ts'
import { startSandbox } from './server.ts'
import { openTestSandbox } from './testing.ts'
import type { Body } from './testing.ts'

const quote = '/v3/cryptocurrency/quotes/latest?id=1'

describe('control API', () => {
  it('tells the judge’s figures to other processes', async () => {
    await using box = await openTestSandbox()
    await box.cmc(quote)
    await box.get('/kraken/0/public/Ticker?pair=NOPE')
    const health = (await box.get('/_sandbox/health')).json
    expect(health).toMatchObject({ ok: true, time: '2026-11-21T12:00:30.000Z', plan: { name: 'Basic 2026' } })
    const meter = (await box.get('/_sandbox/meter')).json
    expect(meter).toEqual(JSON.parse(JSON.stringify(box.sandbox.meter.summary())))
    expect(meter.counts).toMatchObject({ requests: 2, served: 1, refused: 1, credits: 1, values: 1 })
  })

  it('tells what was served, in pages', async () => {
    await using box = await openTestSandbox()
    for (let call = 0; call < 5; call += 1) await box.cmc(quote)
    const first = (await box.get('/_sandbox/served?limit=3')).json
    const second = (await box.get(`/_sandbox/served?limit=3&after=${first.next}`)).json
    expect([first.next, second.next]).toEqual([3, null])
    expect([...first.entries, ...second.entries].map((entry: Body) => entry.sequence)).toEqual([
      1, 2, 3, 4, 5,
    ])
    expect(first.entries[0].values[0]).toMatchObject({
      sourceId: '1',
      currency: 'USD',
      price: expect.stringMatching(/^\d+\.\d+$/),
    })
  })

  it('takes faults, lists their hits and forgets them', async () => {
    await using box = await openTestSandbox()
    const send = async (
      method: string,
      body?: unknown,
      type = 'application/json',
    ): Promise<[number, unknown]> => {
      const init = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': type } }
      const response = await fetch(`${box.sandbox.url}/_sandbox/faults`, { method, ...init })
      return [response.status, await response.json()]
    }
    expect(await send('POST', { kind: 'server-error', charged: true })).toEqual([200, { ids: [1] }])
    expect(await send('POST', [{ kind: 'html' }, { kind: 'lost-answer' }])).toEqual([200, { ids: [2, 3] }])
    expect((await box.cmc(quote)).status).toBe(500)
    expect((await send('GET'))[1]).toMatchObject({
      faults: [{ id: 1, hits: 1, left: 0 }, { hits: 0 }, { hits: 0 }],
    })
    expect(await send('POST', { kind: 'x' })).toEqual([
      400,
      { error: expect.stringContaining('kind is one of') },
    ])
    // A web page may send this type to another origin without being asked; JSON it may not.
    expect((await send('POST', { kind: 'html' }, 'text/plain'))[0]).toBe(400)
    expect(await send('DELETE')).toEqual([200, { ok: true }])
    expect((await box.cmc(quote)).status).toBe(200)
    expect((await box.get('/_sandbox/nothing')).status).toBe(404)
  })
})

describe('server', () => {
  it('listens on 127.0.0.1 alone and refuses other host names', async () => {
    await using box = await openTestSandbox()
    expect(box.sandbox.baseUrl('kraken')).toBe(`http://127.0.0.1:${box.sandbox.port}/kraken`)
    const status = await new Promise<number>((resolve, reject) => {
      const headers = { host: 'evil.example' }
      request({ port: box.sandbox.port, host: '127.0.0.1', path: '/_sandbox/meter', headers }, response => {
        response.resume()
        resolve(response.statusCode ?? 0)
      })
        .on('error', reject)
        .end()
    })
    expect(status).toBe(421)
  })

  it('lives through paths that are no URL', async () => {
    await using box = await openTestSandbox()
    for (const path of ['//', '*', '/%', '/coinmarketcap', '/coinmarketcap//v3/../x?%zz=%']) {
      const status = await new Promise<number | undefined>((resolve, reject) => {
        request({ port: box.sandbox.port, host: '127.0.0.1', path }, response => {
          response.resume()
          resolve(response.statusCode)
        })
          .on('error', reject)
          .end()
      })
      expect([400, 404]).toContain(status)
    }
    expect((await box.cmc(quote)).status).toBe(200)
  })

  it('serves exactly the limit of many calls at once', async () => {
    await using box = await openTestSandbox()
    const answers = await Promise.all(Array.from({ length: 60 }, () => box.cmc(quote)))
    expect(answers.filter(answer => answer.status === 200)).toHaveLength(50)
    expect(box.sandbox.meter.violations).toBe(10)
  })

  it('says Date by its own clock on every answer, errors too', async () => {
    await using box = await openTestSandbox()
    for (const path of [
      '/coinmarketcap/v1/key/info',
      '/coinmarketcap/nowhere',
      '/kraken/0/public/Ticker',
      '/coinbase/products/X/ticker',
      '/nowhere',
      '/_sandbox/health',
    ])
      expect((await box.get(path)).headers.get('date')).toBe('Sat, 21 Nov 2026 12:00:30 GMT')
  })

  it('says which port is taken', async () => {
    await using box = await openTestSandbox()
    const again = startSandbox({ clock: systemClock, port: box.sandbox.port })
    await expect(again).rejects.toMatchObject({
      code: 'CRY_PORT_IN_USE',
      message: `another program listens on 127.0.0.1:${box.sandbox.port}`,
    })
  })

  it('closes at once, whatever is under way', async () => {
    const box = await openTestSandbox({ faults: [{ kind: 'delay', virtualMs: 60_000 }] })
    const call = box.cmc(quote).catch((error: Error) => error.message)
    await expect.poll(() => box.sandbox.faults.hits('delay'), { interval: 2 }).toBe(1)
    await box.sandbox.close()
    expect(await call).toBe('fetch failed')
  })

  it('plays a recorded series with its own digits, and does not know what is not in it', async () => {
    const prices = recordedSeries('time,asset,price\n2026-11-21T11:59:00Z,bitcoin,84000.10\n')
    await using box = await openTestSandbox({ prices })
    expect((await box.cmc('/v3/cryptocurrency/quotes/latest?id=1,1027')).text).toContain('"price":84000.10,')
    expect((await box.get('/coinbase/products/BTC-USD/ticker')).json.price).toBe('84000.10')
    expect((await box.get('/coinbase/products/ETH-USD/ticker')).status).toBe(404)
    expect((await box.cmc('/v3/cryptocurrency/listings/latest')).json.data).toHaveLength(1)
    expect((await box.get('/kraken/0/public/Ticker?pair=ETHUSD')).json.error).toEqual([
      'EQuery:Unknown asset pair',
    ])
  })

  it('gives the same bytes for the same seed and time, and other prices for another seed', async () => {
    const body = async (seed: number): Promise<string> => {
      await using box = await openTestSandbox({ seed })
      const paths = ['/coinbase/products/BTC-USD/ticker', '/kraken/0/public/Ticker']
      const texts = await Promise.all(paths.map(async path => (await box.get(path)).text))
      return [(await box.cmc('/v3/cryptocurrency/listings/latest?limit=300')).text, ...texts].join()
    }
    const first = await body(4)
    expect(await body(4)).toBe(first)
    expect(await body(5)).not.toBe(first)
  })
})
