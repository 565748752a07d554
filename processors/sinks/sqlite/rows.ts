import type { AssetId, Credits, DecimalString, EpochMicros, ProviderId } from '../../../core/brands.ts'
import type { Origin, Quote } from '../../../core/records.ts'
import type { SqlRow } from '../../../host/sqlite.ts'

const origins = ['live', 'backfill', 'replay', 'sandbox'] as const satisfies readonly Origin[]
const observers = ['source', 'receiver'] as const

/** origin and observedBy of a quote as one small number; revision = version - receivedAt needs no column. */
export const flagsOf = (q: Quote): number =>
  origins.indexOf(q.origin) + origins.length * observers.indexOf(q.observedBy)
export const originOf = (flags: number): Origin => origins[flags % origins.length] ?? 'live'
const observerOf = (flags: number): Quote['observedBy'] =>
  observers[Math.floor(flags / origins.length)] ?? 'source'

/** Only these origins say what a price is now. */
export const isCurrent = (q: Quote): boolean => q.origin === 'live' || q.origin === 'sandbox'

type Extra = 'marketCap' | 'volume24h' | 'supply' | 'change24h'
const extraNames: readonly Extra[] = ['marketCap', 'volume24h', 'supply', 'change24h']

function extras(row: SqlRow): Partial<Record<Extra, DecimalString>> {
  const found: Partial<Record<Extra, DecimalString>> = {}
  for (const name of extraNames) {
    const value = row[name]
    if (typeof value === 'string') found[name] = value as DecimalString
  }
  return found
}

/** Columns of a quote joined with its dictionaries. */
export const quoteColumns = `provider, asset, currency, symbol, sourceId, price, marketCap, volume24h, supply, change24h,
  quote.observedAt AS observedAt, version, receivedAt, flags, runId, credits, rawRef`
export const quoteJoins =
  'JOIN series ON series.id=quote.series JOIN label ON label.id=quote.label JOIN answer ON answer.id=quote.answer'

/** A stored row is what a checked quote was, so it is read back without checking again. */
export function quoteOf(row: SqlRow): Quote {
  const receivedAt = Number(row['receivedAt']) as EpochMicros
  const flags = Number(row['flags'])
  return {
    kind: 'quote',
    provider: String(row['provider']) as ProviderId,
    asset: String(row['asset']) as AssetId,
    symbol: String(row['symbol']),
    sourceId: String(row['sourceId']),
    currency: String(row['currency']),
    price: String(row['price']) as DecimalString,
    ...extras(row),
    observedAt: Number(row['observedAt']) as EpochMicros,
    observedBy: observerOf(flags),
    receivedAt,
    revision: Number(row['version']) - receivedAt,
    origin: originOf(flags),
    runId: String(row['runId']),
    credits: Number(row['credits']) as Credits,
    rawRef: String(row['rawRef']),
  }
}
