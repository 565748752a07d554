import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestSandbox } from '../../../../sandbox/testing.ts'
import type { Body, TestSandbox } from '../../../../sandbox/testing.ts'

let box: TestSandbox
beforeAll(async () => {
  box = await openTestSandbox({ plan: { callsPerMinute: 1_000, keylessCallsPerMinute: 1_000 } })
})
afterAll(() => box[Symbol.asyncDispose]())

/** Type of every member, array members merged: null means "or null". */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])]
  if (value === null) return 'null'
  if (typeof value !== 'object') return typeof value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, shapeOf(member)]))
}

const captures = process.env['CRYPTOS_CAPTURES']
if (!captures) console.warn('SKIPPED: comparison with real CoinMarketCap bodies; set CRYPTOS_CAPTURES')

describe.skipIf(!captures)('bodies have the members and types of real ones', () => {
  const real = (name: string): Body =>
    JSON.parse(readFileSync(join(captures ?? '', 'coinmarketcap', name), 'utf8'))

  it('v3 quotes/latest', async () => {
    const mine = (await box.cmc('/v3/cryptocurrency/quotes/latest?id=1,4705')).json
    const want = real('v3_quotes_latest_btc_paxg_2026.json')
    // Tags differ in number, BTC of ours has none.
    for (const body of [mine, want]) for (const coin of body.data) coin.tags = []
    expect(shapeOf(mine)).toEqual(shapeOf(want))
    expect(shapeOf(mine.data[1])).toEqual(shapeOf(want.data[1]))
    expect(Object.keys(mine.data[0])).toEqual(Object.keys(want.data[0]))
    expect(Object.keys(mine.data[0].quote[0])).toEqual(Object.keys(want.data[0].quote[0]))
  })

  it('v2 quotes/latest by id', async () => {
    const mine = (await box.cmc('/v2/cryptocurrency/quotes/latest?id=1')).json
    const want = real('v2_quotes_latest_by_id.json')
    mine.data['1'].tags = want.data['1'].tags
    mine.data['1'].date_added = null
    expect(shapeOf(mine)).toEqual(shapeOf(want))
    expect(Object.keys(mine)).toEqual(Object.keys(want))
    expect(Object.keys(mine.data['1'])).toEqual(Object.keys(want.data['1']))
  })

  it('v2 simple/price', async () => {
    const mine = (await box.cmc('/v2/simple/price?id=1,4705')).json
    expect(shapeOf(mine)).toEqual(shapeOf(real('v2_simple_price_2026.json')))
  })

  it('v1 map of a ticker that many coins share', async () => {
    const mine = (await box.cmc('/v1/cryptocurrency/map?symbol=BTC')).json
    const want = real('v1_map_symbol_btc_duplicates_2026.json')
    expect(shapeOf(mine)).toEqual(shapeOf(want))
    const inactive = (body: Body): Body => body.data.find((coin: Body) => coin.is_active === 0)
    expect(Object.keys(inactive(mine))).toEqual(Object.keys(inactive(want)))
    expect(inactive(mine).rank).toBeNull()
    expect(mine.data.length).toBeGreaterThan(4)
    expect(new Set(mine.data.map((coin: Body) => coin.id)).size).toBe(mine.data.length)
  })

  it('v1 key/info', async () => {
    const mine = (await box.cmc('/v1/key/info')).json
    const want = real('key_info_basic_2026-09-24.json')
    expect(shapeOf(mine)).toEqual(shapeOf(want))
    expect(mine.data.plan.credit_limit_monthly).toBe(want.data.plan.credit_limit_monthly)
  })

  it('errors of the gateway and of a busy system', async () => {
    const mine = (await box.cmc('/v2/cryptocurrency/ohlcv/latest?id=1')).json
    const want = real('err403_1006_plan.json')
    expect(shapeOf(mine)).toEqual(shapeOf(want))
    expect(mine.status.error_message).toBe(want.status.error_message)
    box.sandbox.faults.add({ kind: 'server-error', charged: false })
    const busy = (await box.cmc('/v2/simple/price?id=1')).json
    expect(shapeOf(busy)).toEqual(shapeOf(real('err500_system_busy_string_code.json')))
    expect(busy.status.error_message).toBe(real('err500_system_busy_string_code.json').status.error_message)
  })
})
