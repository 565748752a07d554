import { describe, expect, it } from 'vitest'
import { Credits, DecimalString, EpochMicros, ProviderId } from '../core/brands.ts'
import { CryptosError } from '../core/errors.ts'
import type { OutboxEntry } from '../core/ports/ledger.ts'
import { type Gap, type Metric, marketRecordId } from '../core/records.ts'
import { addMs, parseIso } from '../core/time.ts'
import { topicTable } from '../topics/table.ts'
import { marketRecordJson } from '../topics/codecs/market-record-json.ts'
import { quoteJson } from '../topics/codecs/quote-json.ts'
import { knownAssetRefs } from './assets.ts'
import { shapes } from './providers/coinmarketcap/fixtures/shapes.ts'
import { coinmarketcap } from './providers/coinmarketcap/index.ts'
import type { Mapped, MappingContext, Provider } from './provider.ts'
import { deriveEntry, derivedMessages } from './publish-messages.ts'
import { contextText } from './saved-context.ts'

const receivedAt = parseIso('2026-11-21T12:00:30Z')
const refs = knownAssetRefs(coinmarketcap)
const context = contextText({ page: { assets: refs, currency: 'EUR' }, origin: 'live' })

const entry = (body: string, changes: Partial<OutboxEntry> = {}): OutboxEntry => ({
  answerId: 'coinmarketcap/quotes/2026-11-21T12:00:00.000Z/0.abc#1',
  provider: coinmarketcap.id,
  dataset: 'quotes',
  slot: 'coinmarketcap/quotes/2026-11-21T12:00:00.000Z/0.abc',
  runId: 'run-1',
  receivedAt,
  httpStatus: 200,
  body: new TextEncoder().encode(body),
  context,
  credits: Credits(1),
  publishedAt: null,
  revision: 0,
  ...changes,
})

/** The provider with another mapping. */
const mapping = (map: (context: MappingContext) => Mapped): Provider => ({
  ...coinmarketcap,
  datasets: coinmarketcap.datasets.map(d => ({ ...d, map: (_, c) => map(c) })),
})
const gapsOf = (entryMade: OutboxEntry, provider: Provider = coinmarketcap): Gap[] =>
  deriveEntry([provider], entryMade).market.filter(r => r.kind === 'gap')
const bitcoin = refs.find(r => r.asset === 'bitcoin')!
const quoteOfShape = (): Mapped => {
  const usd = contextText({ page: { assets: refs, currency: 'USD' }, origin: 'live' })
  const { quotes } = deriveEntry([coinmarketcap], entry(shapes['v3 list']!, { context: usd }))
  return { records: quotes, missing: [] }
}

describe('the gaps of an answer', () => {
  it('are what was asked for and has no price: at the start of the period that the slot names, with the reason', () => {
    const reason = `null price ${'\ud800'} ${'x'.repeat(600)}`
    const provider = mapping(() => ({
      records: [],
      missing: [{ asset: bitcoin.asset, sourceId: '1', reason }],
    }))
    expect(gapsOf(entry('', { revision: 0 }), provider)).toEqual([
      {
        ...{ kind: 'gap', provider: 'coinmarketcap', dataset: 'quotes', asset: 'bitcoin', sourceId: '1' },
        ...{ currency: 'EUR', expectedAt: parseIso('2026-11-21T12:00:00Z'), state: 'missing', receivedAt },
        reason: reason.slice(0, 500).toWellFormed(),
        ...{ revision: 0, origin: 'live', runId: 'run-1' },
        rawRef: 'coinmarketcap/quotes/2026-11-21T12:00:00.000Z/0.abc#1',
      },
    ])
  })

  it('are all that was asked for where no mapping understands the answer', () => {
    const { error, quotes, market } = deriveEntry([coinmarketcap], entry('{"data":[7]}'))
    expect(error?.code).toBe('CRY_PROVIDER_PAYLOAD')
    expect(quotes).toEqual([])
    expect(market.map(g => g.kind === 'gap' && g.asset)).toEqual(refs.map(r => r.asset))
    expect(market.every(g => g.kind === 'gap' && g.state === 'failed' && g.reason === error?.message)).toBe(
      true,
    )
    expect(gapsOf(entry('', { provider: ProviderId('gone') }))).toHaveLength(refs.length)
    const bug = mapping(() => {
      throw new TypeError('a bug')
    })
    expect(gapsOf(entry(''), bug)).toHaveLength(refs.length)
  })

  it('are none where nothing tells what was asked for', () => {
    expect(deriveEntry([coinmarketcap], entry('', { context: 'torn' }))).toMatchObject({
      market: [],
      error: expect.any(CryptosError),
    })
    const whole = contextText({ page: { assets: [], currency: 'USD' }, origin: 'live' })
    expect(gapsOf(entry('no', { context: whole }))).toEqual([])
  })

  it('take the time of the answer where the slot names none', () => {
    expect(gapsOf(entry('no', { slot: 'by-hand' }))[0]?.expectedAt).toBe(receivedAt)
    const range = { from: EpochMicros(1e15), to: EpochMicros(2e15) }
    const saved = contextText({ page: { assets: refs, currency: 'USD', range }, origin: 'backfill' })
    expect(gapsOf(entry('no', { slot: 'a/b/c/d', context: saved }))[0]?.expectedAt).toBe(range.from)
  })

  it('are one an asset, whatever a mapping says twice', () => {
    const twice = ['1', '2'].map(sourceId => ({ asset: bitcoin.asset, sourceId, reason: sourceId }))
    expect(
      gapsOf(
        entry(''),
        mapping(() => ({ records: [], missing: twice })),
      ).map(g => g.reason),
    ).toEqual(['1'])
  })

  it('close when a corrected mapping finds the price: the same gap, newer, collected', () => {
    const before = gapsOf(entry('no'))
    const provider = mapping(quoteOfShape)
    expect(gapsOf(entry(''), provider)).toEqual([])
    const after = gapsOf(entry('', { revision: 1 }), provider)
    expect(after).toMatchObject([{ asset: 'bitcoin', state: 'collected', revision: 1 }])
    expect(before.map(marketRecordId)).toContain(marketRecordId(after[0]!))
  })

  it('and figures have the same ids and bytes each time they are made', () => {
    const metric = (c: MappingContext): Metric => ({
      ...{ kind: 'metric', provider: c.provider, name: 'total-market-cap', currency: 'USD' },
      ...{ value: DecimalString('3.1E12'), observedAt: addMs(receivedAt, -1), observedBy: 'source' },
      ...{ receivedAt: c.receivedAt, revision: c.revision, origin: c.origin, runId: c.runId },
      ...{ credits: c.credits, rawRef: c.rawRef },
    })
    const provider = mapping(c => ({
      records: [],
      metrics: [metric(c)],
      missing: [{ ...bitcoin, reason: 'no' }],
    }))
    const made = () => derivedMessages(deriveEntry([provider], entry('')), topicTable(), quoteJson)
    const [first, second] = made()
    expect([first?.topic, second?.topic]).toEqual(['market.metrics.v1', 'source.events.v1'])
    expect(marketRecordJson.decode(first!.value!)).toMatchObject({ kind: 'metric', value: '3.1E12' })
    expect(made()).toEqual([first, second])
  })
})
