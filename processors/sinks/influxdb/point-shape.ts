import type { EpochMicros } from '../../../core/brands.ts'
import type { Measurement, Tags } from './stored.ts'

/** How records of a kind are points. */
export interface PointShape<R> {
  measurement(record: R): Measurement
  tags(record: R): Tags
  /** Of the series: `keyOf`. Made for each record, so it is cheap. */
  key(record: R): string
  /** Whether two have the same `key`. Asked for each record, so it is cheaper still. */
  isSameSeries(a: R, b: R): boolean
  at(record: R): EpochMicros
  version(record: R): number
  /** Whether it says what is so now. */
  isLive(record: R): boolean
  /** @param head measurement and tags of the series @param isLive whether any live record claims this time */
  line(head: string, record: R, isLive: boolean): string
  /** Version of a stored record. */
  versionOf(text: string): number
}
