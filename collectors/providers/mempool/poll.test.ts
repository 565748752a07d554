import { describe, expect, it } from 'vitest'
import { AssetId, type EpochMicros } from '../../../core/brands.ts'
import { addMs, DAY, MINUTE, parseIso } from '../../../core/time.ts'
import { assetRef } from '../../assets.ts'
import { collectPage } from '../../poll.ts'
import type { PageResult } from '../../poll-types.ts'
import { openTwinRun } from '../../testing/test-twin.ts'
import { keepsAll } from '../../testing/twin-checks.ts'
import { twinContract } from '../../twin.contract.ts'
import { mempool } from './index.ts'

twinContract({ provider: mempool, sweeps: 40 })
twinContract({ provider: mempool, dataset: 'history', timeOf: at => at })

const assets = [assetRef(mempool, AssetId('bitcoin'))]
const [quotes, history] = mempool.datasets
if (!quotes || !history) throw new Error('a dataset is gone')
const common = { provider: mempool, key: undefined, assets, timeOf: (at: EpochMicros) => at }

describe('mempool.space against its twin', () => {
  it.each(['EUR', 'JPY', 'CHF'])('keeps every price in %s, now and of the past', async currency => {
    const kase = { ...common, currency, limits: { noted: [currency] } }
    await keepsAll({ ...kase, dataset: quotes }, 5)
    await keepsAll({ ...kase, dataset: history }, 5)
  })

  it('has none where the server knows none', async () => {
    const limits = { unknown: ['USD'] }
    for (const dataset of [quotes, history]) {
      await using run = await openTwinRun({ ...common, currency: 'USD', dataset, limits })
      const [page] = await run.sweep()
      expect(page).toMatchObject({ outcome: 'partial', records: 0 })
    }
  })

  it('leaves a day out of which the server has the price of the week only', async () => {
    const limits = { hourlyDays: 0 }
    await using run = await openTwinRun({ ...common, currency: 'USD', dataset: history, limits })
    const { poll, source } = run
    const days: PageResult[] = []
    for (let day = 1; day <= 14; day += 1) {
      const from = parseIso(`2026-11-${String(day).padStart(2, '0')}T00:00:00Z`)
      const page = { assets, currency: 'USD', range: { from, to: addMs(from, DAY) } }
      const task = {
        source,
        dataset: history,
        page,
        slot: `mempool/history/${day}`,
        signal: AbortSignal.timeout(20_000),
      }
      days.push(await collectPage(poll.ports, task))
      run.clock.advance(MINUTE)
    }
    const found = days.flatMap((day, index) => (day.records === 1 ? [index + 1] : []))
    // The Mondays.
    expect(found).toEqual([2, 9])
    for (const day of days.filter(d => d.records === 0))
      expect(day.reason).toMatch(/no point in the asked range/)
  })
})
