import { AssetId, DecimalString, type EpochMicros, ProviderId } from '../../core/brands.ts'
import type { ScopeStatus } from '../../core/ports/ledger.ts'
import type {
  ChangeFeed,
  History,
  HistoryQuery,
  LatestPrice,
  LiveEvent,
  MarketFilter,
  MarketKind,
  MarketQuery,
  MarketRange,
  MarketReader,
  MarketRecordOf,
  QuoteReader,
  StatusReader,
  SourceView,
} from '../../core/ports/reader.ts'
import { marketRecordAt } from '../../core/records.ts'
import type { MarketRecord, QuotaEvent, Quote, Run, SourceFlag } from '../../core/records.ts'
import { addMs, parseIso } from '../../core/time.ts'

/** For tests only, here and in test/e2e: the page's three ports in memory. (The name keeps it out of the package.) */

export const start = parseIso('2026-11-21T13:00:00.000123Z')

export function price(overrides: Partial<LatestPrice> & { at?: EpochMicros } = {}): LatestPrice {
  const { at = start, ...rest } = overrides
  return {
    provider: ProviderId('kraken'),
    asset: AssetId('bitcoin'),
    symbol: 'BTC',
    currency: 'USD',
    price: DecimalString('84278.70'),
    observedAt: at,
    receivedAt: addMs(at, 250),
    origin: 'live',
    ...rest,
  }
}

export class FakeStore implements QuoteReader, ChangeFeed {
  readonly all: LatestPrice[] = []
  readonly events: LiveEvent[] = []
  readonly historyAsked: HistoryQuery[] = []
  readonly latestAsked: object[] = []
  changesReads = 0
  listeners = new Set<() => void>()
  error: Error | undefined

  add(...prices: LatestPrice[]): void {
    this.all.push(...prices)
    this.events.push({ id: (this.events.at(-1)?.id ?? 0) + 1, prices })
    for (const listener of this.listeners) listener()
  }
  forget(count: number): void {
    this.events.splice(0, count)
  }
  async latest(filter: { asset?: AssetId; currency?: string } = {}): Promise<readonly LatestPrice[]> {
    if (this.error) throw this.error
    this.latestAsked.push(filter)
    const newest = new Map<string, LatestPrice>()
    for (const p of this.all) {
      if (filter.asset && filter.asset !== p.asset) continue
      if (filter.currency && filter.currency !== p.currency) continue
      const key = `${p.asset} ${p.currency} ${p.provider}`
      if ((newest.get(key)?.observedAt ?? 0) <= p.observedAt) newest.set(key, p)
    }
    return [...newest.values()]
  }
  async history(query: HistoryQuery): Promise<History> {
    this.historyAsked.push(query)
    const points = this.all
      .filter(p => p.asset === query.asset && p.currency === query.currency)
      .filter(p => p.observedAt >= query.from && p.observedAt < query.to)
      .filter(p => query.provider === undefined || query.provider === p.provider)
      .map(p => ({
        provider: p.provider,
        time: p.observedAt,
        open: p.price,
        high: p.price,
        low: p.price,
        close: p.price,
        count: 1,
      }))
    return { stepMs: query.stepMs, points }
  }
  async changes(after: number, limit: number): Promise<readonly LiveEvent[]> {
    this.changesReads += 1
    return this.events.filter(e => e.id > after).slice(0, limit)
  }
  async newestChange(): Promise<number> {
    return this.events.at(-1)?.id ?? 0
  }
  async oldestChange(): Promise<number> {
    return this.events[0]?.id ?? 0
  }
  async *rows(): AsyncIterable<Quote> {
    yield* []
  }
  async close(): Promise<void> {
    this.listeners.clear()
  }
  onChange(callback: () => void): () => void {
    this.listeners.add(callback)
    return () => this.listeners.delete(callback)
  }
}

/** Every record stands for a series of its own: what is latest is the store's to decide. */
export class FakeMarket implements MarketReader {
  readonly all: MarketRecord[] = []
  readonly asked: object[] = []
  async records<K extends MarketKind>(query: MarketQuery<K>): Promise<readonly MarketRecordOf<K>[]> {
    this.asked.push(query)
    return this.#of(query.kind, query)
      .filter(r => marketRecordAt(r) >= query.from && marketRecordAt(r) < query.to)
      .sort((a, b) => marketRecordAt(b) - marketRecordAt(a))
      .slice(0, query.limit)
  }
  async latestRecords<K extends MarketKind>(
    kind: K,
    filter: MarketFilter = {},
  ): Promise<readonly MarketRecordOf<K>[]> {
    this.asked.push({ kind, ...filter })
    return this.#of(kind, filter)
  }
  async *allRecords<K extends MarketKind>(range: MarketRange<K>): AsyncIterable<MarketRecordOf<K>> {
    yield* (await this.records({ ...range, limit: this.all.length })).toReversed()
  }
  async flagsOf(range: Omit<MarketRange<'source-flag'>, 'kind'>): Promise<readonly SourceFlag[]> {
    return await Array.fromAsync(this.allRecords({ ...range, kind: 'source-flag' }))
  }
  #of<K extends MarketKind>(kind: K, filter: MarketFilter): MarketRecordOf<K>[] {
    const has = (r: MarketRecord, name: keyof MarketFilter): boolean =>
      filter[name] === undefined || (r as MarketFilter)[name] === filter[name]
    return this.all.filter(
      (r): r is MarketRecordOf<K> =>
        r.kind === kind && has(r, 'provider') && has(r, 'asset') && has(r, 'currency'),
    )
  }
}

export class FakeStatus implements StatusReader {
  providers: readonly SourceView[] = []
  sources(): readonly SourceView[] {
    return this.providers
  }

  scopes: ScopeStatus[] = []
  quotaLog: QuotaEvent[] = []
  ran: Run[] = []
  wrong: { name: string; what: string }[] = []
  error: Error | undefined
  async quota(): Promise<readonly ScopeStatus[]> {
    return this.#give(this.scopes)
  }
  async quotaEvents(limit: number): Promise<readonly QuotaEvent[]> {
    return this.#give(this.quotaLog.slice(0, limit))
  }
  async runs(limit: number): Promise<readonly Run[]> {
    return this.#give(this.ran.slice(0, limit))
  }
  async problems(): Promise<readonly { name: string; what: string }[]> {
    return this.#give(this.wrong)
  }
  #give<T>(value: T): T {
    if (this.error) throw this.error
    return value
  }
}

export const scopeStatus = (overrides: Partial<ScopeStatus> = {}): ScopeStatus => ({
  scope: 'key:0123456789abcdef',
  provider: ProviderId('coinmarketcap'),
  plan: 'basic',
  frozen: null,
  jump: false,
  pausedUntil: null,
  pausedWhy: null,
  windows: [
    { window: 'minute', limit: 30, used: 3, reserved: 1, left: 26, resetsAt: addMs(start, 60_000) },
    { window: 'day', limit: null, used: 210, reserved: 1, left: null, resetsAt: addMs(start, 39_600_000) },
    {
      window: 'month',
      limit: 10_000,
      used: 4_210,
      reserved: 1,
      left: 5_789,
      resetsAt: parseIso('2026-12-01T00:00:00Z'),
    },
  ],
  runsOutAt: null,
  lastReconciledAt: addMs(start, -300_000),
  usageTriedAt: addMs(start, -300_000),
  drift: 0,
  ...overrides,
})

export const run = (overrides: Partial<Run> = {}): Run => ({
  kind: 'run',
  runId: 'run-1',
  provider: ProviderId('kraken'),
  dataset: 'quotes',
  slot: 'kraken/quotes/2026-11-21T13:00:00.000Z/0',
  startedAt: start,
  endedAt: addMs(start, 412),
  outcome: 'collected',
  reason: '',
  credits: 0,
  records: 14,
  ...overrides,
})
