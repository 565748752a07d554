import type { AssetId, Credits, DecimalString, EpochMicros, ProviderId } from '../../core/brands.ts'
import type { Quote } from '../../core/records.ts'

/** What a stored quote is found by; with its time and its text it is the whole quote. */
export type QuoteSeries = Pick<Quote, 'provider' | 'asset' | 'currency'>

const partsOf = (q: Quote): readonly (string | number)[] => [
  ...[q.price, q.marketCap ?? '', q.volume24h ?? '', q.supply ?? '', q.change24h ?? ''],
  ...[q.receivedAt, q.revision, q.credits, q.origin, q.observedBy],
  ...[q.symbol, q.sourceId, q.runId, q.rawRef],
]

/**
 * All that a quote has beside its key, with the digits of the provider, as one text for one cell of a store that merges cells: so it is
 * always of one record. Parts with a tab between them; as a JSON list where one has a tab in it, which no checked quote has.
 */
export function quoteText(q: Quote): string {
  const { symbol, sourceId, runId, rawRef } = q
  const hasTab =
    symbol.includes('\t') || sourceId.includes('\t') || runId.includes('\t') || rawRef.includes('\t')
  return hasTab ? JSON.stringify(partsOf(q)) : plainQuoteText(q)
}

/** The same of a quote that has no tab in its names. */
export const plainQuoteText = (q: Quote): string =>
  `${q.price}\t${q.marketCap ?? ''}\t${q.volume24h ?? ''}\t${q.supply ?? ''}\t${q.change24h ?? ''}\t${q.receivedAt}\t${q.revision}\t${q.credits}\t${q.origin}\t${q.observedBy}\t${q.symbol}\t${q.sourceId}\t${q.runId}\t${q.rawRef}`

/** No decimal begins with a bracket. */
const partsIn = (text: string): readonly string[] =>
  text.startsWith('[') ? (JSON.parse(text) as unknown[]).map(String) : text.split('\t')

export const priceIn = (text: string): DecimalString => (partsIn(text)[0] ?? '') as DecimalString

/** receivedAt + revision: `quoteVersion` of what is stored. */
export function versionIn(text: string): number {
  const parts = partsIn(text)
  return Number(parts[5]) + Number(parts[6])
}

/** What is stored is what a checked quote was, so it is read back without checking again. */
export function quoteFrom(series: QuoteSeries, observedAt: number, text: string): Quote {
  const [price, marketCap, volume24h, supply, change24h, ...rest] = partsIn(text)
  const [receivedAt, revision, credits, origin, observedBy, symbol, sourceId, runId, rawRef] = rest
  const decimals = { marketCap, volume24h, supply, change24h }
  const given = Object.entries(decimals).filter(([, digits]) => digits !== '')
  return {
    kind: 'quote',
    provider: series.provider as ProviderId,
    asset: series.asset as AssetId,
    symbol: symbol ?? '',
    sourceId: sourceId ?? '',
    currency: series.currency,
    price: (price ?? '') as DecimalString,
    ...(Object.fromEntries(given) as Partial<Record<keyof typeof decimals, DecimalString>>),
    observedAt: observedAt as EpochMicros,
    observedBy: observedBy as Quote['observedBy'],
    receivedAt: Number(receivedAt) as EpochMicros,
    revision: Number(revision),
    origin: origin as Quote['origin'],
    runId: runId ?? '',
    credits: Number(credits) as Credits,
    rawRef: rawRef ?? '',
  }
}
