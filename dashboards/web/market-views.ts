import { assetById } from '../../core/assets.ts'
import type { AssetId, EpochMicros } from '../../core/brands.ts'
import type { Consensus, Gap, Metric, Serving, SourceFlag } from '../../core/records.ts'
import { toIsoMicros } from './times.ts'

/** The JSON of the records beside prices. Numbers are strings with their digits, every time is ISO 8601 with microseconds. */

const ageMs = (at: EpochMicros, now: EpochMicros): number => Math.max(0, Math.floor((now - at) / 1_000))
const nameOf = (asset: AssetId, symbol: string): string => assetById(asset)?.name ?? symbol
const symbolOf = (asset: AssetId): string => assetById(asset)?.symbol ?? asset

export const viewConsensus = (c: Consensus, now: EpochMicros) => ({
  asset: c.asset,
  symbol: c.symbol,
  name: nameOf(c.asset, c.symbol),
  currency: c.currency,
  price: c.price,
  mad: c.mad,
  spreadPercent: c.spreadPercent,
  isDivergent: c.isDivergent,
  at: toIsoMicros(c.at),
  ageMs: ageMs(c.at, now),
  receivedAt: toIsoMicros(c.receivedAt),
  origin: c.origin,
  counted: c.sources.filter(s => s.excluded === null).length,
  /** ageMs of a source: at the time of the consensus. */
  sources: c.sources.map(s => ({ ...s, observedAt: toIsoMicros(s.observedAt) })),
})

export const viewSpot = (s: Serving, now: EpochMicros) => ({
  asset: s.asset,
  symbol: symbolOf(s.asset),
  name: nameOf(s.asset, symbolOf(s.asset)),
  currency: s.currency,
  provider: s.provider,
  price: s.price,
  observedAt: s.observedAt === null ? null : toIsoMicros(s.observedAt),
  ageMs: s.observedAt === null ? null : ageMs(s.observedAt, now),
  at: toIsoMicros(s.at),
  receivedAt: toIsoMicros(s.receivedAt),
  origin: s.origin,
  skipped: s.skipped,
})

export const viewMetric = (m: Metric, now: EpochMicros) => ({
  provider: m.provider,
  name: m.name,
  currency: m.currency ?? null,
  value: m.value,
  observedAt: toIsoMicros(m.observedAt),
  observedBy: m.observedBy,
  ageMs: ageMs(m.observedAt, now),
  receivedAt: toIsoMicros(m.receivedAt),
  origin: m.origin,
})

export const viewGap = (g: Gap) => ({
  provider: g.provider,
  dataset: g.dataset,
  asset: g.asset,
  sourceId: g.sourceId,
  currency: g.currency,
  expectedAt: toIsoMicros(g.expectedAt),
  state: g.state,
  reason: g.reason,
  receivedAt: toIsoMicros(g.receivedAt),
  origin: g.origin,
})

export const viewFlag = (f: SourceFlag) => ({
  provider: f.provider,
  asset: f.asset,
  currency: f.currency,
  observedAt: toIsoMicros(f.observedAt),
  flag: f.flag,
  since: toIsoMicros(f.since),
  evidence: f.evidence,
  receivedAt: toIsoMicros(f.receivedAt),
  origin: f.origin,
})
