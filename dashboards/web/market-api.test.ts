import { afterEach, describe, expect, it } from 'vitest'
import { AssetId, Credits, DecimalString, ProviderId } from '../../core/brands.ts'
import type { Consensus, Gap, Metric, Serving, SourceFlag } from '../../core/records.ts'
import { addMs } from '../../core/time.ts'
import { start } from './fakes.contract.ts'
import { begin, endAll, json } from './world.contract.ts'

afterEach(endAll)

const [kraken, coinbase] = [ProviderId('kraken'), ProviderId('coinbase')]
const minute = addMs(start, -1)
const bitcoin = { asset: AssetId('bitcoin'), currency: 'USD' }
const consensus: Consensus = {
  ...{ kind: 'consensus', ...bitcoin, symbol: 'BTC', at: minute, price: DecimalString('84278.7780') },
  ...{ mad: DecimalString('0.5'), spreadPercent: DecimalString('0.0014'), isDivergent: false },
  sources: [
    { provider: coinbase, price: DecimalString('84278.7780'), observedAt: minute, ageMs: 0, excluded: null },
    {
      provider: kraken,
      price: DecimalString('7e4'),
      observedAt: addMs(minute, -1_000),
      ageMs: 1_000,
      excluded: 'outlier',
    },
  ],
  ...{ receivedAt: start, origin: 'live' },
}
const serving: Serving = {
  ...{ kind: 'serving', role: 'spot', ...bitcoin, at: minute, provider: coinbase },
  ...{ price: DecimalString('84278.7780'), observedAt: addMs(minute, -500) },
  ...{ skipped: [{ provider: kraken, why: 'frozen since 12:00' }], receivedAt: start, origin: 'live' },
}
const metric: Metric = {
  ...{ kind: 'metric', provider: coinbase, name: 'total-market-cap', currency: 'USD' },
  ...{
    value: DecimalString('3.1E12'),
    observedAt: minute,
    observedBy: 'source',
    receivedAt: start,
    revision: 0,
  },
  ...{ origin: 'live', runId: 'run', credits: Credits(1), rawRef: 'raw' },
}
const gap = (ageMs: number, more: Partial<Gap> = {}): Gap => ({
  ...{ kind: 'gap', provider: kraken, dataset: 'quotes', ...bitcoin, sourceId: 'XXBTZUSD' },
  ...{ expectedAt: addMs(start, -ageMs), state: 'missing', reason: 'null price', receivedAt: start },
  ...{ revision: 0, origin: 'live', runId: 'run', rawRef: 'raw' },
  ...more,
})
const flag: SourceFlag = {
  ...{ kind: 'source-flag', provider: kraken, ...bitcoin, observedAt: minute, flag: 'frozen-value' },
  ...{ since: addMs(minute, -7_200_000), evidence: '2 h the same <b>', receivedAt: start, origin: 'live' },
}

describe('what is known beside prices', () => {
  it('gives the consensus with every source, the excluded ones with the reason', async () => {
    const { web, market, clock } = await begin()
    market.all.push(consensus, serving)
    clock.advance(2_000)
    const { status, body } = await json(web, '/api/v1/consensus?asset=btc&currency=usd')
    expect(status).toBe(200)
    expect(market.asked).toEqual([{ kind: 'consensus', asset: 'bitcoin', currency: 'USD' }])
    expect(body).toEqual({
      at: '2026-11-21T13:00:02.000123Z',
      consensus: [
        {
          ...{ asset: 'bitcoin', symbol: 'BTC', name: 'Bitcoin', currency: 'USD', price: '84278.7780' },
          ...{ mad: '0.5', spreadPercent: '0.0014', isDivergent: false, counted: 1, origin: 'live' },
          ...{ at: '2026-11-21T12:59:59.999123Z', ageMs: 2001, receivedAt: '2026-11-21T13:00:00.000123Z' },
          sources: [
            {
              provider: 'coinbase',
              price: '84278.7780',
              observedAt: '2026-11-21T12:59:59.999123Z',
              ageMs: 0,
              excluded: null,
            },
            {
              provider: 'kraken',
              price: '7e4',
              observedAt: '2026-11-21T12:59:58.999123Z',
              ageMs: 1000,
              excluded: 'outlier',
            },
          ],
        },
      ],
    })
    expect((await json(web, '/api/v1/consensus?asset=eth')).body.consensus).toEqual([])
  })

  it('gives who serves and why those before do not; nobody is nobody, not the last one', async () => {
    const { web, market } = await begin()
    const nobody = { ...serving, currency: 'EUR', provider: null, price: null, observedAt: null }
    market.all.push(serving, nobody)
    const { body } = await json(web, '/api/v1/spot?currency=USD')
    expect(body.spot).toEqual([
      {
        ...{ asset: 'bitcoin', symbol: 'BTC', name: 'Bitcoin', currency: 'USD', provider: 'coinbase' },
        ...{ price: '84278.7780', observedAt: '2026-11-21T12:59:59.499123Z', ageMs: 501, origin: 'live' },
        ...{ at: '2026-11-21T12:59:59.999123Z', receivedAt: '2026-11-21T13:00:00.000123Z' },
        skipped: [{ provider: 'kraken', why: 'frozen since 12:00' }],
      },
    ])
    expect((await json(web, '/api/v1/spot?currency=eur')).body.spot[0]).toMatchObject({
      ...{ provider: null, price: null, observedAt: null, ageMs: null },
    })
  })

  it('gives the latest figures of the market with their digits', async () => {
    const { web, market } = await begin()
    const { currency: _, ...share } = metric
    market.all.push(metric, {
      ...share,
      provider: kraken,
      name: 'bitcoin-dominance',
      value: DecimalString('57.90'),
    })
    const { body } = await json(web, '/api/v1/metrics')
    expect(body.metrics.map((m: object) => Object.values(m).slice(0, 4))).toEqual([
      ['coinbase', 'total-market-cap', 'USD', '3.1E12'],
      ['kraken', 'bitcoin-dominance', null, '57.90'],
    ])
    expect((await json(web, '/api/v1/metrics?provider=kraken')).body.metrics).toHaveLength(1)
    expect((await json(web, '/api/v1/metrics?asset=btc')).status).toBe(400)
  })

  it('gives the gaps of a range, newest first, and whether there are more', async () => {
    const { web, market } = await begin()
    market.all.push(gap(60_000), gap(1_000), gap(86_400_001), gap(5, { asset: AssetId('ethereum') }))
    const { body } = await json(web, '/api/v1/gaps?asset=bitcoin')
    expect(body).toMatchObject({
      from: '2026-11-20T13:00:00.000123Z',
      to: '2026-11-21T13:01:00.000123Z',
      more: false,
    })
    expect(body.gaps.map((g: { expectedAt: string }) => g.expectedAt.slice(11, 19))).toEqual([
      '12:59:59',
      '12:59:00',
    ])
    expect(body.gaps[0]).toEqual({
      ...{ provider: 'kraken', dataset: 'quotes', asset: 'bitcoin', sourceId: 'XXBTZUSD', currency: 'USD' },
      ...{ expectedAt: '2026-11-21T12:59:59.000123Z', state: 'missing', reason: 'null price' },
      ...{ receivedAt: '2026-11-21T13:00:00.000123Z', origin: 'live' },
    })
    const one = await json(web, '/api/v1/gaps?limit=1&from=-2d&to=now')
    expect([one.body.more, one.body.gaps.length, one.body.to]).toEqual([
      true,
      1,
      '2026-11-21T13:00:00.000123Z',
    ])
  })

  it('gives the doubts about prices', async () => {
    const { web, market } = await begin()
    market.all.push(flag)
    const { body } = await json(web, '/api/v1/flags?provider=kraken&asset=bitcoin&currency=USD&from=-1h')
    expect(body.flags).toEqual([
      {
        ...{ provider: 'kraken', asset: 'bitcoin', currency: 'USD', flag: 'frozen-value' },
        ...{ observedAt: '2026-11-21T12:59:59.999123Z', since: '2026-11-21T10:59:59.999123Z' },
        ...{ evidence: '2 h the same <b>', receivedAt: '2026-11-21T13:00:00.000123Z', origin: 'live' },
      },
    ])
  })

  it('gives the newest doubt of each series, however old it is', async () => {
    const { web, market } = await begin()
    const old = { ...flag, observedAt: addMs(minute, -86_400_000 * 2), flag: 'stale-clock' as const }
    market.all.push(flag, old)
    const { body } = await json(web, '/api/v1/flags/latest?asset=bitcoin')
    expect(market.asked).toEqual([{ kind: 'source-flag', asset: 'bitcoin' }])
    expect(body.flags.map((f: { flag: string }) => f.flag)).toEqual(['frozen-value', 'stale-clock'])
    expect((await json(web, '/api/v1/flags/latest?from=-1h')).status).toBe(400)
  })

  it.each([
    ['gaps?from=now&to=-1h', 'from must be before to'],
    ['gaps?limit=0', 'limit must be'],
    ['flags?limit=5001', 'limit must be'],
    ['flags?from=', 'from must be given once'],
    ['flags?kind=x', '"kind" is not a parameter: this address takes provider, asset'],
    ['spot?provider=kraken', '"provider" is not a parameter'],
    ['consensus?asset=nocoin', 'is unknown'],
  ])('refuses %s with one sentence', async (query, sentence) => {
    const { web } = await begin()
    const { status, body } = await json(web, `/api/v1/${query}`)
    expect([status, body.error.code]).toEqual([400, 'CRY_VALUE_INVALID'])
    expect(body.error.message).toContain(sentence)
  })
})
