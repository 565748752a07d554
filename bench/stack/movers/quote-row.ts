import type { PlainQuote } from './plain-quote.ts'

/** The statements of a quote as the product's sink writes them: same tables, columns and write times. */
export const insertQuote =
  'INSERT INTO quotes (provider, asset, currency, month, observed_at, price, market_cap, volume_24h, supply, change_24h, price_double, received_at, detail) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?) USING TIMESTAMP ?'
export const insertLatest =
  'INSERT INTO latest (provider, asset, currency, observed_at) VALUES (?,?,?,?) USING TIMESTAMP ?'
export const addMonth = 'UPDATE series SET months = months + ? WHERE provider=? AND asset=? AND currency=?'

let last = { day: -1, month: 0 }
function monthOf(micros: number): number {
  const day = Math.floor(micros / 86_400_000_000)
  if (day !== last.day) {
    const date = new Date(day * 86_400_000)
    last = { day, month: date.getUTCFullYear() * 100 + date.getUTCMonth() + 1 }
  }
  return last.month
}

export const partitionKey = (q: PlainQuote): string =>
  `${q.provider}|${q.asset}|${q.currency}|${monthOf(q.observedAt)}`

/** Parameters, without the checks. */
export const quoteParameters = (q: PlainQuote): unknown[] => [
  ...[q.provider, q.asset, q.currency, monthOf(q.observedAt), q.observedAt],
  ...[q.price, q.marketCap, q.volume24h, q.supply, q.change24h],
  ...[Number(q.price), q.receivedAt, detailOf(q), q.receivedAt + q.revision],
]
const detailOf = (q: PlainQuote): string =>
  [
    ...[q.price, q.marketCap ?? '', q.volume24h ?? '', q.supply ?? '', q.change24h ?? '', q.receivedAt],
    ...[q.revision, q.credits, q.origin, q.observedBy, q.symbol, q.sourceId, q.runId, q.rawRef],
  ].join('\t')
export const latestParameters = (q: PlainQuote): unknown[] => [
  ...[q.provider, q.asset, q.currency, q.observedAt, q.observedAt],
]
export const monthParameters = (q: PlainQuote): unknown[] => [
  ...[[monthOf(q.observedAt)], q.provider, q.asset, q.currency],
]
