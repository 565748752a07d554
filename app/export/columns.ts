import type { EpochMicros } from '../../core/brands.ts'
import type { Consensus, FlagKind, Gap, Metric, Quote, Serving, SourceFlag } from '../../core/records.ts'
import { toIsoMicros } from '../../dashboards/web/times.ts'
import type { Column } from './csv.ts'

/** A stored price with the doubts about it. */
export type FlaggedQuote = Quote & { readonly flags: readonly FlagKind[] }

const iso = (time: EpochMicros | null): string | null => (time === null ? null : toIsoMicros(time))
/** Several in one cell. */
const listed = (texts: readonly string[]): string => texts.join(';')

export const quoteColumns: readonly Column<FlaggedQuote>[] = [
  ['provider', q => q.provider],
  ['asset', q => q.asset],
  ['symbol', q => q.symbol],
  ['currency', q => q.currency],
  ['price', q => q.price],
  ['observed_at', q => iso(q.observedAt)],
  ['received_at', q => iso(q.receivedAt)],
  ['market_cap', q => q.marketCap],
  ['volume_24h', q => q.volume24h],
  ['supply', q => q.supply],
  ['change_24h', q => q.change24h],
  ['origin', q => q.origin],
  ['flags', q => listed(q.flags)],
]

export const metricColumns: readonly Column<Metric>[] = [
  ['provider', m => m.provider],
  ['name', m => m.name],
  ['currency', m => m.currency],
  ['value', m => m.value],
  ['observed_at', m => iso(m.observedAt)],
  ['received_at', m => iso(m.receivedAt)],
  ['origin', m => m.origin],
]

export const gapColumns: readonly Column<Gap>[] = [
  ['provider', g => g.provider],
  ['dataset', g => g.dataset],
  ['asset', g => g.asset],
  ['source_id', g => g.sourceId],
  ['currency', g => g.currency],
  ['expected_at', g => iso(g.expectedAt)],
  ['state', g => g.state],
  ['reason', g => g.reason],
  ['received_at', g => iso(g.receivedAt)],
  ['origin', g => g.origin],
]

export const flagColumns: readonly Column<SourceFlag>[] = [
  ['provider', f => f.provider],
  ['asset', f => f.asset],
  ['currency', f => f.currency],
  ['observed_at', f => iso(f.observedAt)],
  ['flag', f => f.flag],
  ['since', f => iso(f.since)],
  ['evidence', f => f.evidence],
  ['received_at', f => iso(f.receivedAt)],
  ['origin', f => f.origin],
]

export const consensusColumns: readonly Column<Consensus>[] = [
  ['asset', c => c.asset],
  ['symbol', c => c.symbol],
  ['currency', c => c.currency],
  ['at', c => iso(c.at)],
  ['price', c => c.price],
  ['mad', c => c.mad],
  ['spread_percent', c => c.spreadPercent],
  ['divergent', c => String(c.isDivergent)],
  ['sources', c => listed(c.sources.filter(s => s.excluded === null).map(s => s.provider))],
  [
    'excluded',
    c => listed(c.sources.flatMap(s => (s.excluded === null ? [] : [`${s.provider}: ${s.excluded}`]))),
  ],
  ['received_at', c => iso(c.receivedAt)],
  ['origin', c => c.origin],
]

export const servingColumns: readonly Column<Serving>[] = [
  ['role', s => s.role],
  ['asset', s => s.asset],
  ['currency', s => s.currency],
  ['at', s => iso(s.at)],
  ['provider', s => s.provider],
  ['price', s => s.price],
  ['observed_at', s => iso(s.observedAt)],
  ['skipped', s => listed(s.skipped.map(({ provider, why }) => `${provider}: ${why}`))],
  ['received_at', s => iso(s.receivedAt)],
  ['origin', s => s.origin],
]
