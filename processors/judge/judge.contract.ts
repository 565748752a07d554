import { AssetId, Credits, DecimalString, type EpochMicros, ProviderId } from '../../core/brands.ts'
import type { Consensus, Gap, Quote, Serving, SourceFlag } from '../../core/records.ts'
import { addMs, fromEpochMs, MINUTE } from '../../core/time.ts'
import type { JudgeOutput } from './judge.ts'

/** What tests of the judge share: noon of a Saturday, and records that differ in what a test names. */
export const noon = fromEpochMs(Date.UTC(2026, 10, 21, 12))
export const minute = (n: number): EpochMicros => addMs(noon, n * MINUTE)

export const quoteOf = (
  provider: string,
  price: string,
  at: EpochMicros,
  more: Partial<Quote> = {},
): Quote => ({
  ...{ kind: 'quote', provider: ProviderId(provider), asset: AssetId('bitcoin'), symbol: 'BTC' },
  ...{ sourceId: 'x', currency: 'USD', price: DecimalString(price), observedAt: at, observedBy: 'source' },
  ...{ receivedAt: at, revision: 0, origin: 'live', runId: 'r', credits: Credits(1) },
  rawRef: 'raw',
  ...more,
})

export const gapOf = (provider: string, at: EpochMicros, more: Partial<Gap> = {}): Gap => ({
  ...{ kind: 'gap', provider: ProviderId(provider), dataset: 'quotes', asset: AssetId('bitcoin') },
  ...{ sourceId: 'x', currency: 'USD', expectedAt: at, state: 'missing', reason: 'not in the answer' },
  ...{ receivedAt: at, revision: 0, origin: 'live', runId: 'r', rawRef: 'raw' },
  ...more,
})

export const consensusIn = (outputs: readonly JudgeOutput[]): readonly Consensus[] =>
  outputs.filter((o): o is Consensus => o.kind === 'consensus')
export const servingIn = (outputs: readonly JudgeOutput[]): readonly Serving[] =>
  outputs.filter((o): o is Serving => o.kind === 'serving')
export const quotesIn = (outputs: readonly JudgeOutput[]): readonly Quote[] =>
  outputs.filter((o): o is Quote => o.kind === 'quote')
export const flagsOf = (flags: readonly SourceFlag[]): string[] => flags.map(f => f.flag)
