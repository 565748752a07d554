import { describe, expect, it } from 'vitest'
import { AssetId, Credits, DecimalString, ProviderId } from '../../core/brands.ts'
import { CryptosError } from '../../core/errors.ts'
import { type Gap, type Metric, marketRecordId } from '../../core/records.ts'
import { addMs, DAY, MINUTE } from '../../core/time.ts'
import { audited, fresh, now, useAudit } from './world.contract.ts'

useAudit()

const gap = (more: Partial<Gap> = {}): Gap => ({
  ...{ kind: 'gap', provider: ProviderId('coinmarketcap'), dataset: 'quotes', asset: AssetId('ethereum') },
  ...{
    sourceId: '1027',
    currency: 'USD',
    expectedAt: addMs(now, -2 * MINUTE),
    state: 'missing',
    reason: 'no',
  },
  ...{ receivedAt: addMs(now, -MINUTE), revision: 0, origin: 'live', runId: 'run', rawRef: 'a' },
  ...more,
})
const metric = (more: Partial<Metric> = {}): Metric => ({
  ...{ kind: 'metric', provider: ProviderId('coinmarketcap'), name: 'total-market-cap', currency: 'USD' },
  ...{ value: DecimalString('3.10'), observedAt: addMs(now, -3 * DAY), observedBy: 'source', revision: 0 },
  ...{ receivedAt: addMs(now, -MINUTE), origin: 'live', runId: 'run', credits: Credits(1), rawRef: 'a' },
  ...more,
})

describe('an audit of figures and gaps', () => {
  const answers = [{ id: 'a', made: [fresh], beside: [gap(), metric()] }]
  const world = { answers, topic: [fresh], marketTopic: [gap(), metric()] }

  it('finds them equal, a figure of days ago too', async () => {
    expect(await audited(world)).toMatchObject({
      ...{ differences: [], market: { answers: 2, topic: 2, store: 2 }, rows: { store: 1 } },
      workedOut: { topic: 0, store: 0 },
    })
  })

  it.each([
    ['missing', 'store', { marketStore: [gap()] }, metric()],
    ['missing', 'topic', { marketTopic: [metric()], marketStore: [gap(), metric()] }, gap()],
    ['changed', 'store', { marketStore: [gap(), metric({ value: DecimalString('3.1') })] }, metric()],
    ['changed', 'store', { marketStore: [gap({ state: 'collected' }), metric()] }, gap()],
    [
      'changed',
      'topic',
      { marketTopic: [gap({ reason: 'x' }), metric()], marketStore: [gap(), metric()] },
      gap(),
    ],
  ] as const)('finds what is %s in the %s', async (kind, place, planted, record) => {
    const { differences } = await audited({ ...world, ...planted })
    expect(differences).toMatchObject([{ kind, in: place, id: marketRecordId(record) }])
  })

  it('finds one that no answer has, whether it names an answer or not', async () => {
    const [named, unnamed] = ['a', 'nobody'].map(rawRef => gap({ asset: AssetId('solana'), rawRef }))
    for (const extra of [named!, unnamed!]) {
      const { differences } = await audited({ ...world, marketStore: [gap(), metric(), extra] })
      expect(differences).toMatchObject([{ kind: 'extra', in: 'store', id: marketRecordId(extra) }])
    }
  })

  it('takes a gap that was filled in later, or tried again, as replaced', async () => {
    const filled = gap({ state: 'backfilled', rawRef: 'backfill', receivedAt: addMs(now, -1_000) })
    expect((await audited({ ...world, marketTopic: [gap(), metric(), filled] })).differences).toEqual([])
    const before = gap({ state: 'provider-down', rawRef: 'none', receivedAt: addMs(now, -90_000) })
    expect((await audited({ ...world, marketTopic: [before, gap(), metric()] })).differences).toEqual([])
  })

  it('wants the gaps of an answer in the dead letters too, and none of an answer that was refused later', async () => {
    const dead = {
      id: 'a',
      made: new CryptosError('CRY_PROVIDER_PAYLOAD', 'no'),
      beside: [gap({ state: 'failed' })],
    }
    const lost = await audited({ answers: [dead], letters: ['a'] })
    expect(lost.differences.map(d => [d.kind, d.in])).toEqual([
      ['missing', 'topic'],
      ['missing', 'store'],
    ])
    const kept = { answers: [dead], letters: ['a'], marketTopic: [gap({ state: 'failed' })] }
    expect((await audited(kept)).differences).toEqual([])
    const refused = { id: 'a', made: [fresh], beside: [gap()] }
    const told = gap({ state: 'failed', reason: 'too large' })
    expect(await audited({ answers: [refused], letters: ['a'], marketTopic: [told] })).toMatchObject({
      ...{ differences: [], unmapped: 1 },
    })
  })
})
