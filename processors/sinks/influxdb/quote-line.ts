import type { Quote } from '../../../core/records.ts'
import { plainQuoteText, quoteText } from '../quote-text.ts'
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

/** One line, without its end. @param head measurement and tags @param isLive whether any live value claims this time */
export function quoteLine(head: string, q: Quote, isLive: boolean): string {
  const { marketCap, volume24h, supply, change24h } = q
  const charts = `${float('price', q.price)}${float('marketCap', marketCap)}${float('volume24h', volume24h)}${float('supply', supply)}${float('change24h', change24h)}`
  // Numbers and the words of a list need no escaping: only names are looked at.
  const exact = hasOddName(q) ? fieldText(quoteText(q)) : `"${plainQuoteText(q)}"`
  return `${head} ${charts}${isLive ? 'live=true,' : ''}exact=${exact} ${q.observedAt}`
}

function float(name: string, decimal: string | undefined): string {
  const value = decimal === undefined ? undefined : fieldFloat(decimal)
  return value === undefined ? '' : `${name}=${value},`
}

const oddName = /["\\\t]/
const hasOddName = ({ symbol, sourceId, runId, rawRef }: Quote): boolean =>
  oddName.test(symbol) || oddName.test(sourceId) || oddName.test(runId) || oddName.test(rawRef)
