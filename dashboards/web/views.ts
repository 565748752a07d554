import { assetById } from '../../core/assets.ts'
import type { EpochMicros } from '../../core/brands.ts'
import { exitCodeOf, outcomes } from '../../core/outcomes.ts'
import type { ScopeStatus } from '../../core/ports/ledger.ts'
import type { History, HistoryQuery, LatestPrice } from '../../core/ports/reader.ts'
import type { QuotaEvent, Run } from '../../core/records.ts'
import { spreadOf } from './spread.ts'
import { formatDuration, toIsoMicros } from './times.ts'

/** The JSON of the Web API. Prices are strings with the provider's digits, every time is ISO 8601 with microseconds. */

export const isoOrNull = (time: EpochMicros | null): string | null =>
  time === null ? null : toIsoMicros(time)

const nameOf = (price: LatestPrice): string => assetById(price.asset)?.name ?? price.symbol

export const viewPrice = (price: LatestPrice) => ({
  provider: price.provider,
  price: price.price,
  observedAt: toIsoMicros(price.observedAt),
  receivedAt: toIsoMicros(price.receivedAt),
  origin: price.origin,
})

/** A price on its own, as in the `prices` event: with what it is the price of. */
export const viewLivePrice = (price: LatestPrice) => ({
  asset: price.asset,
  symbol: price.symbol,
  name: nameOf(price),
  currency: price.currency,
  ...viewPrice(price),
})

export function viewLatest(prices: readonly LatestPrice[], now: EpochMicros) {
  const groups = Map.groupBy(prices, p => `${p.asset} ${p.currency}`)
  return { at: toIsoMicros(now), assets: [...groups.values()].map(group => viewAsset(group, now)) }
}

function viewAsset(group: readonly LatestPrice[], now: EpochMicros) {
  const [first] = group
  const prices = [...group].sort((a, b) => (a.provider < b.provider ? -1 : 1))
  return {
    asset: first?.asset,
    symbol: first?.symbol,
    name: first && nameOf(first),
    currency: first?.currency,
    prices: prices.map(p => ({
      ...viewPrice(p),
      ageMs: Math.max(0, Math.floor((now - p.observedAt) / 1_000)),
    })),
    spread: spreadOf(prices),
  }
}

export const viewHistory = (query: HistoryQuery, history: History) => ({
  asset: query.asset,
  currency: query.currency,
  provider: query.provider ?? null,
  from: toIsoMicros(query.from),
  to: toIsoMicros(query.to),
  step: formatDuration(history.stepMs),
  stepMs: history.stepMs,
  points: history.points.map(p => ({ ...p, time: toIsoMicros(p.time) })),
})

export const viewScope = (scope: ScopeStatus) => ({
  ...scope,
  windows: scope.windows.map(w => ({ ...w, resetsAt: toIsoMicros(w.resetsAt) })),
  runsOutAt: isoOrNull(scope.runsOutAt),
  lastReconciledAt: isoOrNull(scope.lastReconciledAt),
  usageTriedAt: isoOrNull(scope.usageTriedAt),
  pausedUntil: isoOrNull(scope.pausedUntil),
})

export const viewQuota = (scopes: readonly ScopeStatus[], events: readonly QuotaEvent[]) => ({
  scopes: scopes.map(viewScope),
  events: events.map(({ kind: _, ...event }) => ({
    ...event,
    at: toIsoMicros(event.at),
    resetsAt: isoOrNull(event.resetsAt),
  })),
})

export const viewRuns = (runs: readonly Run[]) => ({
  runs: runs.map(({ kind: _, retryAt, ...run }) => ({
    ...run,
    startedAt: toIsoMicros(run.startedAt),
    endedAt: toIsoMicros(run.endedAt),
    durationMs: Math.max(0, Math.round((run.endedAt - run.startedAt) / 1_000)),
    exitCode: exitCodeOf(run.outcome),
    meaning: outcomes[run.outcome].meaning,
    retryAt: isoOrNull(retryAt ?? null),
  })),
})
