import type { FlagKind, Quote, SourceFlag } from '../../core/records.ts'
import type { Series } from './series.ts'

/** Renews the doubts that were found, and lifts those that enough clean values in a row have answered. */
export function noteDoubts(
  series: Series,
  quote: Quote,
  found: ReadonlyMap<FlagKind, string>,
  cleanValues: number,
): readonly SourceFlag[] {
  for (const [flag, doubt] of series.doubts) {
    if (found.has(flag)) continue
    const clean = doubt.clean + 1
    if (clean >= cleanValues) series.doubts.delete(flag)
    else series.doubts.set(flag, { ...doubt, clean })
  }
  return [...found].flatMap(([flag, evidence]) => {
    // A clock that stands still shows the very same row in every answer.
    const isTold = series.doubts.get(flag)?.row === quote.observedAt
    const made = flagOf(series, quote, flag, evidence)
    return isTold ? [] : [made]
  })
}

/** The doubt about one row; also kept with the series until it is lifted. */
export function flagOf(
  series: Series,
  row: Pick<Quote, 'provider' | 'asset' | 'currency' | 'observedAt' | 'receivedAt' | 'origin'>,
  flag: FlagKind,
  evidence: string,
): SourceFlag {
  const { provider, asset, currency, observedAt, receivedAt, origin } = row
  const since = series.doubts.get(flag)?.since ?? receivedAt
  series.doubts.set(flag, { since, row: observedAt, clean: 0 })
  return {
    kind: 'source-flag',
    ...{ provider, asset, currency, observedAt, flag, since, evidence, receivedAt, origin },
  }
}
