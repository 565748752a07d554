import type { PlainQuote } from './plain-quote.ts'

/** The text field of a quote as the product's sink writes it. */
export const exactOf = (q: PlainQuote): string =>
  `${q.price}\t${q.marketCap ?? ''}\t${q.volume24h ?? ''}\t${q.supply ?? ''}\t${q.change24h ?? ''}\t${q.receivedAt}\t${q.revision}\t${q.credits}\t${q.origin}\t${q.observedBy}\t${q.symbol}\t${q.sourceId}\t${q.runId}\t${q.rawRef}`

/** The line of a quote as the product's sink writes it (same measurement, tags, fields, time), without its checks and escapes. */
export function quoteLine(q: PlainQuote): string {
  let fields = `price=${q.price},`
  if (q.marketCap !== undefined) fields += `marketCap=${q.marketCap},`
  if (q.volume24h !== undefined) fields += `volume24h=${q.volume24h},`
  if (q.supply !== undefined) fields += `supply=${q.supply},`
  if (q.change24h !== undefined) fields += `change24h=${q.change24h},`
  return `quote,asset=${q.asset},currency=${q.currency},provider=${q.provider} ${fields}live=true,exact="${exactOf(q)}" ${q.observedAt}`
}
