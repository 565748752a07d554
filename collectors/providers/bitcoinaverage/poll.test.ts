import { describe, expect, it } from 'vitest'
import { AssetId, EpochMicros } from '../../../core/brands.ts'
import { addMs, DAY, HOUR, MINUTE, parseIso, SECOND } from '../../../core/time.ts'
import { VirtualClock } from '../../../core/virtual-clock.ts'
import { sandboxKey, startSandbox } from '../../../sandbox/server.ts'
import { assetRef, knownAssetRefs } from '../../assets.ts'
import { collectPage } from '../../poll.ts'
import type { Dataset } from '../../provider.ts'
import { keptValues, openTwinRun, type TwinCase } from '../../testing/test-twin.ts'
import { endsWell, faultCases, keepsAll, refusesKey } from '../../testing/twin-checks.ts'
import { openTestPoll } from '../../testing/test-poll.ts'
import { twinContract } from '../../twin.contract.ts'
import { reconcileUsage } from '../../usage.ts'
import { bitcoinaverage } from './index.ts'
import { sandboxSecret } from './twin/sandbox-secret.ts'

const signedKey = `${sandboxKey}:${sandboxSecret}`
const datasetOf = (id: string): Dataset => {
  const found = bitcoinaverage.datasets.find(d => d.id === id)
  if (!found) throw new Error(id)
  return found
}
const bitcoin = assetRef(bitcoinaverage, AssetId('bitcoin'))
const all = knownAssetRefs(bitcoinaverage)
const caseOf = (id: string, key: string, more: Partial<TwinCase> = {}): TwinCase => ({
  ...{ provider: bitcoinaverage, dataset: datasetOf(id), currency: 'USD', assets: all, key },
  ...more,
})

twinContract({
  provider: bitcoinaverage,
  sweeps: 40,
  wrongKey: 'wrong-key-2718281828459:wrong-secret-1618033988',
})
twinContract({ provider: bitcoinaverage, dataset: 'ticker', sweeps: 10 })

describe('BitcoinAverage against its twin, with signed calls', () => {
  it.each(['quotes', 'ticker'])('keeps every price and request of %s', id =>
    keepsAll(caseOf(id, signedKey), 10),
  )
  it.each(['EUR', 'JPY'])('keeps every price in %s', currency =>
    keepsAll(caseOf('ticker', signedKey, { currency }), 3),
  )
  it.each(faultCases.slice(0, 5).map(f => [JSON.stringify(f.fault), f] as const))(
    'ends well when %s',
    (_, f) => endsWell(caseOf('quotes', signedKey), f),
  )
  it('is unauthorized with another secret, and writes neither down', () =>
    refusesKey(caseOf('quotes', `${sandboxKey}:another-secret-271828`)))
})

describe('a page of one asset', () => {
  const kase = caseOf('ticker', sandboxKey, { assets: [bitcoin], currency: 'EUR' })

  it('asks the ticker of that pair, and keeps its price', async () => {
    await keepsAll(kase, 3)
    await using run = await openTwinRun(kase)
    await run.sweep()
    expect(run.sandbox.meter.entries().map(entry => entry.endpoint)).toContain(
      '/indices/global/ticker/BTCEUR',
    )
  })

  it('has no price where the answer is of another pair', async () => {
    await using run = await openTwinRun(kase)
    const body = '{"last":81240.1,"timestamp":1795262400,"display_symbol":"BTC-USD"}'
    run.sandbox.faults.add({ kind: 'replace-body', body, endpoint: 'BTCEUR' })
    const [result] = await run.sweep()
    expect(result).toMatchObject({ outcome: 'payload-invalid', records: 0 })
  })
})

describe('the history of BitcoinAverage against its twin', () => {
  const range = { from: parseIso('2026-11-01T00:00:00Z'), to: parseIso('2026-11-20T00:00:00Z') }
  const page = { assets: [bitcoin], currency: 'EUR', range }
  const limits = { historyFrom: '2026-10-01T00:00:00Z' }

  it('keeps the average of each day of the range, as it was served', async () => {
    const kase = caseOf('history', signedKey, { page, limits })
    await using run = await openTwinRun(kase)
    const [result] = await run.sweep()
    expect(result).toMatchObject({ outcome: 'collected', records: 19, credits: 1 })
    const served = run.sandbox.meter.entries().flatMap(entry => entry.values)
    const inRange = served.filter(v => (v.observedAt ?? 0) >= range.from && (v.observedAt ?? 0) < range.to)
    const own = inRange.map(v => `BTC|EUR|${v.price}|${addMs(v.observedAt ?? EpochMicros(0), DAY) - 1}`)
    expect(own).toHaveLength(19)
    expect(new Set(await keptValues(kase, run))).toEqual(new Set(own))
    expect(await run.everythingKept()).not.toMatch(new RegExp(`${sandboxKey}|${sandboxSecret}`))
  })

  it('is unauthorized where the plan has none', async () => {
    const kase = caseOf('history', sandboxKey, { page, limits: { hasHistory: false } })
    await using run = await openTwinRun(kase)
    const [result] = await run.sweep()
    expect(result).toMatchObject({
      ...{ outcome: 'unauthorized', credits: 0 },
      reason: expect.stringContaining('Higher level API Keys required'),
    })
  })
})

/** One call with a clock that is off by so much. */
async function callWithSkew(skewMs: number, key: string) {
  const clock = new VirtualClock(parseIso('2026-11-21T12:00:30Z'))
  const own = new VirtualClock(addMs(clock.now(), skewMs))
  const sandbox = await startSandbox({ clock })
  try {
    await using poll = await openTestPoll(sandbox.url, own)
    const source = await poll.source(bitcoinaverage, sandbox.baseUrl('bitcoinaverage'), key)
    const dataset = datasetOf('quotes')
    const task = { source, dataset, page: { assets: all, currency: 'USD' }, slot: 'bitcoinaverage/quotes/1' }
    const result = await collectPage(poll.ports, { ...task, signal: AbortSignal.timeout(20_000) })
    return { result, status: sandbox.meter.entries()[0]?.status }
  } finally {
    await sandbox.close()
  }
}

describe('a clock that is off', () => {
  it.each([14, -14, 15, -15])('by %i s signs well', async seconds => {
    const { result, status } = await callWithSkew(seconds * SECOND, signedKey)
    expect([result.outcome, result.records, status]).toEqual(['collected', 5, 200])
  })

  it.each([
    [16, /16 s ahead of the provider's/],
    [-16, /16 s behind the provider's/],
  ])('by %i s is told with the refusal', async (seconds, how) => {
    const { result, status } = await callWithSkew(seconds * SECOND, signedKey)
    expect([result.outcome, result.credits, status]).toEqual(['unauthorized', 0, 403])
    expect(result.reason).toMatch(how)
    expect(result.reason).not.toMatch(new RegExp(`${sandboxKey}|${sandboxSecret}|[0-9a-f]{32}`))
  })

  it('does not matter to a key without a signature', async () => {
    expect((await callWithSkew(60 * SECOND, sandboxKey)).result.outcome).toBe('collected')
  })
})

describe('the requests of the plan', () => {
  it('are learned from the provider, and never passed', async () => {
    const limits = { requestsPerPeriod: 30, period: 'day' }
    const kase = caseOf('quotes', signedKey, { limits })
    await using run = await openTwinRun(kase)
    await reconcileUsage(run.poll.ports, run.source, new AbortController().signal)
    const status = async () =>
      (await run.poll.ledger.status(run.clock.now())).find(s => s.scope === run.source.scope)
    expect(await status()).toMatchObject({ plan: '30 requests in 24h' })
    for (let n = 0; n < 20; n += 1) await run.sweep()
    expect(run.sandbox.meter.violations).toBe(0)
    expect(run.results.every(r => r.outcome === 'collected')).toBe(true)
  })

  it('are refused with 429 when they are used up elsewhere, and the pause is kept', async () => {
    const kase = caseOf('quotes', sandboxKey, { limits: { requestsPerPeriod: 3 } })
    await using run = await openTwinRun(kase)
    run.sandbox.faults.add({ kind: 'foreign-use', credits: 3, endpoint: 'ticker' })
    const [page] = await run.sweep()
    expect(page).toMatchObject({ outcome: 'rate-limited', credits: 0 })
    expect(page?.retryAt ?? 0).toBeGreaterThanOrEqual(addMs(run.clock.now(), 14 * MINUTE))
  })

  it('say nothing where the source is closed', async () => {
    await using run = await openTwinRun(caseOf('quotes', signedKey, { limits: { isClosed: true } }))
    const [page] = await run.sweep()
    expect(page).toMatchObject({
      ...{ outcome: 'provider-error', records: 0 },
      reason: expect.stringMatching(/^the source is closed/),
    })
    expect(page?.retryAt ?? 0).toBeGreaterThanOrEqual(addMs(run.clock.now(), 23 * HOUR))
    expect(await run.everythingKept()).not.toMatch(new RegExp(`${sandboxKey}|${sandboxSecret}`))
  })
})

describe('a key that is none', () => {
  it('is misconfigured before anything is sent, and not repeated', async () => {
    await using run = await openTwinRun(caseOf('quotes', 'public-314159265.secret-271828182'))
    const [page] = await run.sweep()
    expect(page).toMatchObject({ outcome: 'misconfigured', credits: 0 })
    expect(run.sandbox.meter.entries()).toEqual([])
    expect(await run.everythingKept()).not.toMatch(/314159265|271828182/)
  })
})
