import { Credits } from '../core/brands.ts'
import { parseIso } from '../core/time.ts'
import { AssetId } from '../core/brands.ts'
import type { AssetRef, MappingContext } from '../collectors/provider.ts'
import { coinmarketcap } from '../collectors/providers/coinmarketcap/index.ts'
import { type BenchLine, median } from './line.ts'

const coins = 200
const bar = 40_000
const rounds = 9
const roundMs = 250

/** Digits that a float would change: 17 significant ones, trailing zeros, exponents. */
function digitsOf(coin: number, field: number): string {
  const whole = ((coin + 1) * 7_919 + field * 104_729) % 100_000
  const fraction = String(((coin + 1) * 1_299_709 + field * 15_485_863) % 1e12).padStart(12, '0')
  return field % 5 === 4
    ? `${whole}.${fraction.slice(0, 3)}0`
    : field % 7 === 6
      ? `${whole}.5e-12`
      : `${whole}.${fraction}`
}

const tagOf = (coin: number, tag: number): string =>
  `{"slug":"tag-${tag}-portfolio","name":"Tag ${tag} Capital Portfolio","category":"${['CATEGORY', 'ALGORITHM', 'OTHERS'][(coin + tag) % 3]}"}`

const platform =
  '{"id":1027,"slug":"ethereum","name":"Ethereum","symbol":"ETH","token_address":"0x0000000000000000000000000000000000000000"}'

/** One coin as v3 quotes/latest sends it: all fields, 6 to 19 tags. */
function coinOf(coin: number): string {
  const n = (field: number): string => digitsOf(coin, field)
  const tags = Array.from({ length: 6 + ((coin * 5) % 14) }, (_, tag) => tagOf(coin, tag)).join(',')
  const about = `"id":${coin + 1},"name":"Coin ${coin}","symbol":"C${coin}","slug":"coin-${coin}","is_active":1,"infinite_supply":false,"is_fiat":0`
  const supply = `"circulating_supply":${n(1)},"total_supply":${n(2)},"max_supply":null,"date_added":"2010-07-13T00:00:00.000Z","num_market_pairs":12751,"cmc_rank":${coin + 1},"last_updated":"2026-10-05T08:31:00.000Z","tvl_ratio":null`
  const reported = `"platform":${coin % 2 === 0 ? platform : 'null'},"self_reported_circulating_supply":null,"self_reported_market_cap":null,"minted_market_cap":${n(3)}`
  const volumes = `"price":${n(4)},"volume_24h":${n(5)},"volume_change_24h":-13.1733,"cex_volume_24h":${n(6)},"dex_volume_24h":${n(7)}`
  const changes = `"percent_change_1h":0.7751296,"percent_change_24h":0.71749051,"percent_change_7d":9.84801141,"percent_change_30d":6.04830487,"percent_change_60d":30.18019682,"percent_change_90d":39.59532387`
  const caps = `"market_cap":${n(8)},"market_cap_dominance":58.8883,"fully_diluted_market_cap":${n(9)},"minted_market_cap":${n(10)},"tvl":null,"last_updated":"2026-10-05T08:30:02.000Z"`
  return `{"tags":[${tags}],${about},${supply},${reported},"quote":[{"id":2781,"symbol":"USD",${volumes},${changes},${caps}}]}`
}

function bodyOf(count: number): Uint8Array {
  const data = Array.from({ length: count }, (_, coin) => coinOf(coin)).join(',')
  const status =
    '{"timestamp":"2026-10-05T08:31:12.004Z","error_code":"0","error_message":"","elapsed":4,"credit_count":2}'
  return Buffer.from(`{"data":[${data}],"status":${status}}`)
}

const refs: readonly AssetRef[] = Array.from({ length: coins }, (_, coin) => ({
  ...{ asset: AssetId(`coinmarketcap:${coin + 1}`), symbol: `C${coin}`, sourceId: String(coin + 1) },
}))

const context: MappingContext = {
  ...{
    provider: coinmarketcap.id,
    dataset: 'quotes',
    page: { assets: refs, currency: 'USD' },
    origin: 'live',
  },
  ...{ runId: 'bench', receivedAt: parseIso('2026-10-05T08:31:13Z'), revision: 0 },
  ...{ credits: Credits(2), rawRef: 'bench' },
}

/** Assets per CPU-second (user and system, collector threads of V8 included) of repeated work on the whole body. */
function rateOf(work: () => number): number {
  let assets = 0
  const before = process.cpuUsage()
  const end = performance.now() + roundMs
  while (performance.now() < end) assets += work()
  const { user, system } = process.cpuUsage(before)
  return assets / ((user + system) / 1e6)
}

function checkDigits(
  body: Uint8Array,
  map: (body: Uint8Array, context: MappingContext) => { records: readonly unknown[] },
): void {
  const { records } = map(body, context) as { records: readonly Record<string, unknown>[] }
  if (records.length !== coins) throw new Error(`${records.length} of ${coins} records`)
  for (const [coin, record] of records.entries()) {
    const wanted = { price: 4, volume24h: 5, marketCap: 8, supply: 1 }
    for (const [name, field] of Object.entries(wanted))
      if (record[name] !== digitsOf(coin, field))
        throw new Error(`coin ${coin}: ${name} is ${String(record[name])}, sent was ${digitsOf(coin, field)}`)
  }
}

/**
 * [parse]: parse, check and map of a 200-asset CoinMarketCap v3 body with exact digits, which are compared in this run. The work is
 * measured twice in turn (A/A), and beside it `JSON.parse` alone, which loses digits, maps nothing, and is this machine's measure.
 */
export async function benchParse(): Promise<BenchLine[]> {
  const [dataset] = coinmarketcap.datasets
  if (!dataset) throw new Error('no dataset')
  const body = bodyOf(coins)
  checkDigits(body, dataset.map)
  const map = (): number => dataset.map(body, context).records.length
  const native = (): number => {
    JSON.parse(Buffer.from(body).toString())
    return coins
  }
  const rates = { a: [] as number[], b: [] as number[], native: [] as number[] }
  rateOf(map)
  rateOf(native)
  for (let round = 0; round < rounds; round += 1) {
    rates.a.push(rateOf(map))
    rates.native.push(rateOf(native))
    rates.b.push(rateOf(map))
  }
  checkDigits(body, dataset.map)
  return linesOf(median(rates.a), median(rates.b), median(rates.native), body.byteLength)
}

function linesOf(a: number, b: number, native: number, bytes: number): BenchLine[] {
  const value = Math.round(a)
  const unit = 'assets/CPU-s'
  const size = `${coins} assets, ${Math.round(bytes / coins)} bytes each`
  const apart = `A/A ${((100 * Math.abs(a - b)) / Math.max(a, b)).toFixed(1)} % apart`
  return [
    { name: 'parse', value, unit, bar, ok: value >= bar, note: `${size}; digits compared; ${apart}` },
    { name: 'parse-control', value: Math.round(b), unit, bar: null, ok: true, note: 'the same work again' },
    {
      ...{ name: 'parse-native-inexact', value: Math.round(native), unit, bar: null, ok: true },
      note: 'JSON.parse of the same bytes alone: digits lost, nothing checked or mapped',
    },
  ]
}

if (import.meta.main) for (const line of await benchParse()) console.log(JSON.stringify(line))
