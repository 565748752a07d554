import { toIso } from '../../../core/time.ts'
import type { Detector } from '../detector.ts'

/**
 * stale-clock: the answers come, and the source's own time lies further behind ours than ten minutes and four times the longest lag
 * from which this series ever came back.
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
