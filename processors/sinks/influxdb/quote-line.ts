import type { AssetId, Credits, DecimalString, EpochMicros, ProviderId } from '../../../core/brands.ts'
import type { Quote } from '../../../core/records.ts'
import { fieldFloat, fieldText } from './line.ts'
import type { Measurement } from './stored.ts'

/**
 * A quote is one point: tags provider, asset, currency; time observedAt; fields
 * - `exact`: everything else, as text with the provider's digits. One field, because the server merges points field by field: so it is
 *   always of one version, never a mixture of two.
 * - `price`, `marketCap`, `volume24h`, `supply`, `change24h`: the same numbers as floats, for charts.
 * - `live`: true as soon as any live or sandbox value claimed this time; a backfilled version that replaces it leaves it standing.
 */
export const quotePoints: Measurement = {
  ...{ name: 'quote', tags: ['provider', 'asset', 'currency'], text: 'exact' },
}

export type QuoteSeries = Pick<Quote, 'provider' | 'asset' | 'currency'>

/** One line, without its end. @param head measurement and tags @param isLive whether any live value claims this time */
export function quoteLine(head: string, q: Quote, isLive: boolean): string {
  const { marketCap, volume24h, supply, change24h } = q
  const charts = `${float('price', q.price)}${float('marketCap', marketCap)}${float('volume24h', volume24h)}${float('supply', supply)}${float('change24h', change24h)}`
  // Numbers and the words of a list need no escaping: only names are looked at.
  const exact = hasOddName(q) ? fieldText(exactOf(q)) : `"${plainExact(q)}"`
  return `${head} ${charts}${isLive ? 'live=true,' : ''}exact=${exact} ${q.observedAt}`
}

function float(name: string, decimal: string | undefined): string {
  const value = decimal === undefined ? undefined : fieldFloat(decimal)
  return value === undefined ? '' : `${name}=${value},`
}

const oddName = /["\\\t]/
const hasOddName = ({ symbol, sourceId, runId, rawRef }: Quote): boolean =>
  oddName.test(symbol) || oddName.test(sourceId) || oddName.test(runId) || oddName.test(rawRef)

const partsOf = (q: Quote): readonly (string | number)[] => [
  ...[q.price, q.marketCap ?? '', q.volume24h ?? '', q.supply ?? '', q.change24h ?? ''],
  ...[q.receivedAt, q.revision, q.credits, q.origin, q.observedBy],
  ...[q.symbol, q.sourceId, q.runId, q.rawRef],
]

/** Parts with a tab between them; as a JSON list where one has a tab in it, which no checked quote has. */
export const exactOf = (q: Quote): string =>
  `${q.symbol}${q.sourceId}${q.runId}${q.rawRef}`.includes('\t') ? JSON.stringify(partsOf(q)) : plainExact(q)

const plainExact = (q: Quote): string =>
  `${q.price}\t${q.marketCap ?? ''}\t${q.volume24h ?? ''}\t${q.supply ?? ''}\t${q.change24h ?? ''}\t${q.receivedAt}\t${q.revision}\t${q.credits}\t${q.origin}\t${q.observedBy}\t${q.symbol}\t${q.sourceId}\t${q.runId}\t${q.rawRef}`

const readParts = (exact: string): readonly string[] =>
  exact.startsWith('[') ? (JSON.parse(exact) as unknown[]).map(String) : exact.split('\t')

/** receivedAt + revision: `quoteVersion` of what is stored. */
export function versionOf(exact: string): number {
  const parts = readParts(exact)
  return Number(parts[5]) + Number(parts[6])
}

/** A stored point is what a checked quote was, so it is read back without checking again. */
export function quoteOf(series: QuoteSeries, observedAt: number, exact: string): Quote {
  const [price, marketCap, volume24h, supply, change24h, ...rest] = readParts(exact)
  const [receivedAt, revision, credits, origin, observedBy, symbol, sourceId, runId, rawRef] = rest
  const decimals = { marketCap, volume24h, supply, change24h }
  const given = Object.entries(decimals).filter(([, text]) => text !== '')
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
