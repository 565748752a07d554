import { toIso } from '../../../core/time.ts'
import type { Detector } from '../detector.ts'

/**
 * stale-clock: the answers come, and the source's own time lies more than ten minutes behind ours, and
 *   - further than the tail of the lags from which this series ever came back allows (`tail.ts`), or
 *   - three steps of the clock in a row came further behind than the tail of the lags at a step allows: it goes, but behind, or
 *   - it stands while the digits change, more often than the tail of such changes allows, and four times at least.
 *
 * Why: caches that are served for ever, and clocks in another time zone. CoinPaprika's free answers are ten minutes old by design, the
 * time of the last trade of a thin market is hours old by nature: so each series is held against its own rhythm. A lag that never
 * ends teaches nothing.
 */
export const staleClock: Detector = ({ quote, series, at }) => {
  const { clock } = series
  const doubt = quote.observedBy === 'receiver' ? undefined : clock.doubt(at)
  return doubt && `the source's time ${toIso(quote.observedAt)} ${doubt}`
}
