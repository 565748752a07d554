import { afterEach, describe, expect, it } from 'vitest'
import { AssetId, DecimalString, ProviderId } from '../../core/brands.ts'
import { CryptosError } from '../../core/errors.ts'
import { addMs, parseIso } from '../../core/time.ts'
import { price, run, scopeStatus, start } from './fakes.contract.ts'
import { begin, endAll, json, send } from './world.contract.ts'

afterEach(endAll)

const coinbase = ProviderId('coinbase')

describe('latest', () => {
  it('gives each provider its digits, its age and the exact spread', async () => {
    const { web, store, clock } = await begin()
    store.add(price({ price: DecimalString('84278.77808276') }))
    store.add(price({ provider: coinbase, price: DecimalString('84280.00'), at: addMs(start, 500) }))
    clock.advance(2_000)
    const { status, body } = await json(web, '/api/v1/latest?asset=btc')
    expect(status).toBe(200)
    expect(body.at).toBe('2026-11-21T13:00:02.000123Z')
    expect(body.assets).toHaveLength(1)
    expect(body.assets[0]).toEqual({
      asset: 'bitcoin',
      symbol: 'BTC',
      name: 'Bitcoin',
      currency: 'USD',
      prices: [
        {
          provider: 'coinbase',
          price: '84280.00',
          observedAt: '2026-11-21T13:00:00.500123Z',
          receivedAt: '2026-11-21T13:00:00.750123Z',
          origin: 'live',
          ageMs: 1500,
        },
        {
          provider: 'kraken',
          price: '84278.77808276',
          observedAt: '2026-11-21T13:00:00.000123Z',
          receivedAt: '2026-11-21T13:00:00.250123Z',
          origin: 'live',
          ageMs: 2000,
        },
      ],
      spread: {
        absolute: '1.22191724',
        percent: '0.0014',
        low: { provider: 'kraken', price: '84278.77808276' },
        high: { provider: 'coinbase', price: '84280.00' },
        providers: 2,
      },
    })
  })

  it('keeps the digits of 18 places, tiny and huge numbers as they are', async () => {
    const { web, store } = await begin()
    const digits = ['1234567890.123456789012345678', '9.6e-12', '1e15', '84278.700']
    digits.forEach((text, i) => {
      store.add(price({ provider: ProviderId(`p${i}`), price: DecimalString(text) }))
    })
    const { text } = await send(web, '/api/v1/latest')
    for (const exact of digits) expect(text).toContain(`"price":"${exact}"`)
    expect(text).toContain('"absolute":"999999999999999.9999999999904"')
  })

  it('passes the filter on and says an empty list where nothing is stored', async () => {
    const { web, store } = await begin()
    const { body } = await json(web, '/api/v1/latest?asset=Bitcoin&currency=eur')
    expect(body.assets).toEqual([])
    expect(store.latestAsked).toEqual([{ asset: 'bitcoin', currency: 'EUR' }])
  })
})

describe('history', () => {
  const ask = (query: string) => `/api/v1/history?asset=bitcoin&${query}`

  it('reads ISO, epoch seconds, milliseconds and microseconds, relative times and steps', async () => {
    const { web, store } = await begin()
    const from = parseIso('2026-11-21T12:00:00Z')
    for (const text of [
      '2026-11-21T12:00:00Z',
      '2026-11-21T13:00:00%2B01:00',
      '2026-11-21T13:00:00+01:00',
      '1795262400',
      '1795262400000',
      '1795262400000000',
    ]) {
      const { status, body } = await json(web, ask(`from=${text}&to=now&step=60s`))
      expect([text, status, body.from, body.step]).toEqual([text, 200, '2026-11-21T12:00:00.000000Z', '1m'])
      expect(store.historyAsked.at(-1)).toMatchObject({ from, to: start, stepMs: 60_000, currency: 'USD' })
    }
    await json(web, ask('from=-6h'))
    expect(store.historyAsked.at(-1)).toMatchObject({ from: addMs(start, -6 * 3_600_000), stepMs: 15_000 })
    await json(web, ask('from=2026-11-20'))
    expect(store.historyAsked.at(-1)).toMatchObject({ from: parseIso('2026-11-20T00:00:00Z') })
  })

  it('gives the points with their texts, and the provider it was asked for', async () => {
    const { web, store } = await begin()
    store.add(price({ at: addMs(start, -60_000), price: DecimalString('1e15') }))
    store.add(price({ at: addMs(start, -60_000), provider: coinbase }))
    const { body } = await json(web, ask('provider=kraken&from=-1h&step=1m'))
    expect(body).toMatchObject({ asset: 'bitcoin', currency: 'USD', provider: 'kraken', stepMs: 60_000 })
    expect(body.points).toEqual([
      {
        provider: 'kraken',
        time: '2026-11-21T12:59:00.000123Z',
        open: '1e15',
        high: '1e15',
        low: '1e15',
        close: '1e15',
        count: 1,
      },
    ])
  })

  it('begins with the first stored price for from=first', async () => {
    const { web, store } = await begin()
    store.add(price({ at: addMs(start, -3_600_000) }))
    const { body } = await json(web, ask('from=first'))
    expect(body.from).toBe('2026-11-21T12:00:00.000123Z')
    expect(body.points).toHaveLength(1)
    const empty = await json(web, '/api/v1/history?asset=ethereum&from=first')
    expect(empty.body.points).toEqual([])
  })

  it('takes its step from the span of what is stored, not of the range', async () => {
    const { web, store } = await begin()
    await json(web, ask('from=-7d'))
    expect(store.historyAsked.at(-1)).toMatchObject({ stepMs: 10 * 60_000 })
    store.add(price({ at: addMs(start, -50 * 60_000) }))
    const { body } = await json(web, ask('from=-7d'))
    expect(store.historyAsked.at(-1)?.stepMs).toBeLessThanOrEqual(60_000)
    expect([body.from, body.points.length]).toEqual(['2026-11-14T13:00:00.000123Z', 1])
    await json(web, ask('from=-7d&step=1h'))
    expect(store.historyAsked.at(-1)).toMatchObject({
      stepMs: 3_600_000,
      from: addMs(start, -7 * 86_400_000),
    })
    store.add(price({ at: addMs(start, -8 * 86_400_000) }))
    await json(web, ask('from=-7d'))
    expect(store.historyAsked.at(-1)).toMatchObject({ stepMs: 10 * 60_000 })
  })

  it.each([
    ['', 'asset is missing'],
    ['asset=nocoin', 'asset "nocoin" is unknown'],
    ['asset=bitcoin&asset=ethereum', 'asset must be given once'],
    ['asset=', 'asset must be given once'],
    ['asset=bitcoin&form=-6h', '"form" is not a parameter: this address takes asset, currency'],
    ['asset=bitcoin&from=yesterday', 'from must be an ISO 8601 time'],
    ['asset=bitcoin&from=2026-11-21T12:00:00', 'from must be an ISO 8601 time'],
    ['asset=bitcoin&from=-99999w', 'from must be an ISO 8601 time'],
    ['asset=bitcoin&to=99999999999999999999', 'to must be an ISO 8601 time'],
    ['asset=bitcoin&from=now', 'from must be before to'],
    ['asset=bitcoin&step=0s', 'step "0s" must be like'],
    ['asset=bitcoin&step=1', 'step "1" must be like'],
    ['asset=bitcoin&from=-24h&step=1s', 'a step of 1s gives more than 5000 points'],
    ['asset=bitcoin&provider=../x', 'provider "../x" must be'],
    ['asset=bitcoin&currency=U$', 'currency "U$" must be'],
    ['asset=a:b:c', 'asset "a:b:c" is not an asset id'],
    ['asset=__proto__', 'is unknown'],
  ])('refuses ?%s with one sentence', async (query, sentence) => {
    const { web, logged } = await begin()
    const { status, body } = await json(web, `/api/v1/history?${query}`)
    expect(status).toBe(400)
    expect(Object.keys(body)).toEqual(['error'])
    expect(body.error.code).toBe('CRY_VALUE_INVALID')
    expect(body.error.message).toContain(sentence)
    expect(logged).toEqual([])
  })

  it('knows an asset that only one provider has by its id there', async () => {
    const { web, store } = await begin()
    const id = AssetId('coinmarketcap:3773')
    store.add(price({ asset: id, symbol: 'FET' }))
    expect((await json(web, '/api/v1/latest?asset=coinmarketcap:3773')).body.assets[0].name).toBe('FET')
  })
})

describe('quota, runs and meta', () => {
  it('shows the windows of each scope with ISO times', async () => {
    const { web, status } = await begin()
    const pause = { pausedUntil: addMs(start, 2_000), pausedWhy: 'HTTP 418: banned' }
    status.scopes = [scopeStatus({ runsOutAt: addMs(start, 1_000), ...pause })]
    status.quotaLog = [
      {
        kind: 'quota-event',
        ledger: 'l',
        sequence: 7,
        scope: 'key:0123456789abcdef',
        provider: ProviderId('coinmarketcap'),
        at: start,
        what: 'denied',
        why: 'month-limit',
        credits: 1,
        window: 'month',
        limit: 10_000,
        used: 10_000,
        reserved: 0,
        resetsAt: null,
      },
    ]
    const { body } = await json(web, '/api/v1/quota')
    expect(body.scopes[0]).toMatchObject({
      plan: 'basic',
      runsOutAt: '2026-11-21T13:00:01.000123Z',
      pausedUntil: '2026-11-21T13:00:02.000123Z',
      pausedWhy: 'HTTP 418: banned',
      drift: 0,
    })
    expect(body.scopes[0].windows[2]).toEqual({
      window: 'month',
      limit: 10_000,
      used: 4_210,
      reserved: 1,
      left: 5_789,
      resetsAt: '2026-12-01T00:00:00.000000Z',
    })
    expect(body.events[0]).toMatchObject({ sequence: 7, what: 'denied', at: '2026-11-21T13:00:00.000123Z' })
  })

  it('shows the newest runs with outcome, meaning and exit code', async () => {
    const { web, status } = await begin()
    status.ran = [run({ outcome: 'denied-by-quota', reason: 'month' }), run(), run()]
    const { body } = await json(web, '/api/v1/runs?limit=1')
    expect(body.runs).toHaveLength(1)
    expect(body.runs[0]).toMatchObject({
      outcome: 'denied-by-quota',
      exitCode: 99,
      reason: 'month',
      durationMs: 412,
      retryAt: null,
    })
    for (const limit of ['0', '1001', 'x', '-1', '1.5'])
      expect((await json(web, `/api/v1/runs?limit=${limit}`)).status).toBe(400)
  })

  it('names assets, providers and the version, and the banner where data are simulated', async () => {
    const { web, store } = await begin({ simulated: 'not <real>' })
    store.add(price(), price({ provider: coinbase }))
    const { body } = await json(web, '/api/v1/meta')
    expect(body).toMatchObject({
      version: '1.2.3',
      simulated: 'not <real>',
      providers: ['coinbase', 'kraken'],
    })
    expect(body.assets[0]).toEqual({ id: 'bitcoin', symbol: 'BTC', name: 'Bitcoin' })
    const page = await send(web, '/')
    expect(page.text).toContain('<strong>Simulated data</strong> not &lt;real&gt;</p>')
    const real = await begin()
    expect((await send(real.web, '/')).text).not.toContain('Simulated')
  })
})

describe('health and errors', () => {
  it('is ok, or degraded with the names of what is wrong', async () => {
    const { web, status } = await begin()
    expect(await json(web, '/health')).toEqual({ status: 200, body: { status: 'ok' } })
    status.wrong = [{ name: 'ledger', what: 'it can not be written' }]
    expect(await json(web, '/health')).toEqual({
      status: 503,
      body: { status: 'degraded', problems: [{ name: 'ledger', what: 'it can not be written' }] },
    })
    status.error = new Error('boom at /home/me/secret.db')
    const broken = await json(web, '/health')
    expect(broken.status).toBe(503)
    expect(broken.body.problems[0].name).toBe('status')
    expect(JSON.stringify(broken.body)).not.toContain('secret')
  })

  it('never sends a stack, a path or a message of a fault; the log gets it', async () => {
    const { web, store, logged } = await begin()
    store.error = new Error('boom at /home/me/secret.db')
    const fault = await send(web, '/api/v1/latest')
    expect(fault.status).toBe(500)
    store.error = new CryptosError('CRY_STORE_BUSY', '/home/me/series.db is being written by another process')
    const busy = await send(web, '/api/v1/latest')
    expect(busy.status).toBe(503)
    expect(JSON.parse(busy.text).error.code).toBe('CRY_STORE_BUSY')
    expect(fault.text + busy.text).not.toMatch(/home|secret|series|\.ts|at /)
    expect(logged).toHaveLength(2)
  })

  it('answers what it does not know with 404, also beside known names', async () => {
    const { web } = await begin()
    for (const path of [
      '/api/v1/nothing',
      '/api/v2/latest',
      '/api/v1/latest/',
      '/Api/v1/latest',
      '/constructor',
    ])
      expect([path, (await json(web, path)).body.error.code]).toEqual([path, 'WEB_NOT_FOUND'])
  })
})
