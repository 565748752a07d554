import { AssetId, Credits, DecimalString, EpochMicros, ProviderId } from '../../core/brands.ts'
import type { TopicMessage } from '../../core/ports/broker.ts'
import type { Quote } from '../../core/records.ts'
import { seededRandom } from '../../test/support/random.ts'
import { quoteMessage } from '../../topics/messages.ts'
import { topicName } from './settings.ts'

const providers = ['coinmarketcap', 'coingecko', 'coinpaprika'].map(ProviderId)
const assets = Array.from({ length: 200 }, (_, i) => AssetId(`asset-${i}`))
export const seriesCount = providers.length * assets.length
const startedAt = Date.UTC(2026, 9, 1) * 1_000
const pollMicros = 60_000_000

/** What is moved, and what the stores must hold afterwards: the sum of all prices as doubles, in the order of the rows. */
export interface Work {
  readonly rows: number
  readonly messages: Iterable<TopicMessage>
  readonly priceSum: () => number
}

/**
 * `rows` quotes of 3 providers x 200 assets, one poll a minute within one month, prices as random walks. The messages are those of the
 * product (codec, key, headers), so that there is something to validate.
 */
export function makeWork(rows: number, seed = 7): Work {
  let sum = 0
  function* messages(): Iterable<TopicMessage> {
    const next = seededRandom(seed)
    const prices = Array.from({ length: seriesCount }, () => 10 ** (next() * 7 - 2))
    for (let row = 0; row < rows; row += 1) {
      const series = row % seriesCount
      const price = (prices[series] ?? 1) * (1 + (next() - 0.5) * 0.002)
      prices[series] = price
      const quote = quoteOf(row, price)
      sum += Number(quote.price)
      yield quoteMessage(topicName, quote)
    }
  }
  return { rows, messages: messages(), priceSum: () => sum }
}

/** Row `row` of the work: its series goes round, its poll grows. */
export function quoteOf(row: number, price: number, observedAt?: number): Quote {
  const series = row % seriesCount
  const poll = Math.floor(row / seriesCount)
  const asset = series % assets.length
  const seenAt = EpochMicros(observedAt ?? startedAt + poll * pollMicros)
  return {
    kind: 'quote',
    provider: providers[Math.floor(series / assets.length)] ?? ProviderId('none'),
    asset: assets[asset] ?? AssetId('none'),
    symbol: `A${asset}`,
    sourceId: String(asset),
    currency: 'USD',
    price: DecimalString(price.toFixed(8)),
    marketCap: DecimalString((price * 19_000_000).toFixed(2)),
    volume24h: DecimalString((price * 31_000).toFixed(2)),
    observedAt: seenAt,
    observedBy: 'source',
    receivedAt: EpochMicros(observedAt ?? seenAt + 412_345),
    revision: 0,
    origin: 'live',
    runId: `r${poll}`,
    credits: Credits(1),
    rawRef: `q${poll}#1`,
  }
}
