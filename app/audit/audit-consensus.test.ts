import { describe, expect, it } from 'vitest'
import { AssetId, DecimalString, ProviderId } from '../../core/brands.ts'
import { type Consensus, marketRecordId, type Quote, quoteId } from '../../core/records.ts'
import { addMs, MINUTE } from '../../core/time.ts'
import { audited, from, now, quote, useAudit, type World } from './world.contract.ts'

useAudit()

describe('an audit of the consensus', () => {
  const at = addMs(now, -MINUTE)
  const said = (provider: string, price: string, ageMs = 1_000): Quote => ({
    ...quote(addMs(at, -ageMs), addMs(at, -ageMs), price),
    provider: ProviderId(provider),
  })
  const prices = [said('kraken', '2.0'), said('coinbase', '1.0'), said('binance', '1.5'), said('gone', '9')]
  const answers = [{ id: 'a', made: prices }]
  const consensus: Consensus = {
    ...{ kind: 'consensus', asset: AssetId('bitcoin'), symbol: 'BTC', currency: 'USD', at },
    ...{ price: DecimalString('1.5'), mad: DecimalString('0.5'), spreadPercent: DecimalString('66.6') },
    sources: prices.map(({ provider, price, observedAt }) => ({
      ...{ provider, price, observedAt, ageMs: 1_000 },
      excluded: provider === 'gone' ? 'outlier' : null,
    })),
    ...{ isDivergent: false, receivedAt: addMs(at, 100), origin: 'live' },
  }
  const row: Quote = {
    ...quote(at, addMs(at, 100), '1.5'),
    ...{ provider: ProviderId('consensus'), rawRef: marketRecordId(consensus), runId: 'judge' },
  }
  const world = { answers, topic: [...prices, row], marketTopic: [consensus] }
  const changed = (more: Partial<Consensus>): World => ({
    ...world,
    marketTopic: [{ ...consensus, ...more }],
  })

  it('takes its rows for no extra ones, and works each out again', async () => {
    expect(await audited(world)).toMatchObject({
      ...{ differences: [], consensus: 1, rows: { answers: 4, topic: 4, store: 4 } },
      workedOut: { topic: 2, store: 2 },
    })
  })

  it('knows the median of an even number of sources', async () => {
    const sources = consensus.sources.map(s => ({ ...s, excluded: null }))
    const price = DecimalString('1.75')
    const even = { ...changed({ sources, price }), topic: [...prices, { ...row, price }] }
    expect((await audited(even)).differences).toEqual([])
  })

  it('finds a price that is not the median, in the record and in the row', async () => {
    const price = DecimalString('1.51')
    const id = marketRecordId(consensus)
    expect(
      (await audited({ ...changed({ price }), topic: [...prices, { ...row, price }] })).differences,
    ).toMatchObject([{ kind: 'changed', in: 'consensus', id }])
    const off = (await audited({ ...world, topic: [...prices, { ...row, price }] })).differences
    expect(off).toMatchObject([{ kind: 'changed', in: 'consensus', id }])
    const stored = await audited({ ...world, store: [...prices, { ...row, price }] })
    expect(stored.differences.map(d => [d.kind, d.in])).toEqual([
      ['changed', 'store'],
      ['changed', 'consensus'],
    ])
    const nobody = changed({ sources: consensus.sources.map(s => ({ ...s, excluded: 'x' })) })
    expect((await audited(nobody)).differences).toMatchObject([{ kind: 'changed', in: 'consensus', id }])
  })

  it('finds a row without its record, and a row or record that is only in one place', async () => {
    expect((await audited({ ...world, marketTopic: [] })).differences).toMatchObject([
      { kind: 'missing', in: 'consensus', id: quoteId(row) },
    ])
    expect((await audited({ ...world, store: prices })).differences).toMatchObject([
      { kind: 'missing', in: 'store', id: quoteId(row) },
    ])
    expect((await audited({ ...world, topic: prices, store: [...prices, row] })).differences).toMatchObject([
      { kind: 'extra', in: 'store', id: quoteId(row) },
    ])
    expect((await audited({ ...world, marketStore: [] })).differences.map(d => [d.kind, d.in])).toEqual([
      ['missing', 'store'],
      ['missing', 'consensus'],
    ])
  })

  it('finds a source that said something else, or nothing', async () => {
    const [first, ...others] = consensus.sources
    const other = { ...changed({ sources: [{ ...first!, price: DecimalString('2.00') }, ...others] }) }
    expect((await audited(other)).differences).toMatchObject([
      { kind: 'changed', in: 'sources of the consensus', id: `${quoteId(row)} ${quoteId(prices[0]!)}` },
    ])
    const sources = [{ ...first!, observedAt: addMs(first!.observedAt, 1) }, ...others]
    expect((await audited(changed({ sources }))).differences).toMatchObject([
      { kind: 'extra', in: 'sources of the consensus' },
    ])
    // Of what is older than all that is kept nobody can tell.
    const long = [{ ...first!, observedAt: addMs(from, -1) }, ...others]
    expect((await audited(changed({ sources: long }))).differences).toEqual([])
  })

  it('takes a source whose price was corrected later as right at its time', async () => {
    const better = { ...prices[0]!, price: DecimalString('3.0'), revision: 1 }
    const again = { answers: [{ id: 'a', made: [...prices, better] }], topic: [...prices, better, row] }
    expect((await audited({ ...world, ...again })).differences).toEqual([])
  })
})
