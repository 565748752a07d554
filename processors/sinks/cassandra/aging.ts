/** How the server forgets: after how long, and in which pieces on disk. */
export interface Aging {
  /** Seconds; 0 = never. */
  readonly ttlSeconds: number
  readonly windowHours: number
  /** Properties of a table. */
  readonly cql: string
}

/** Windows over the life of a row: with fewer, whole files are dropped late; with more, there are too many files to read. */
const windows = 28
/** Without an end of life the windows only keep what was written together together. */
const endlessHours = 30 * 24

/** Files of a window are dropped whole when their last row is too old: nothing has to be deleted row by row. */
export function agingOf(ttlDays: number): Aging {
  const windowHours = ttlDays === 0 ? endlessHours : Math.ceil((ttlDays * 24) / windows)
  const ttlSeconds = ttlDays * 86_400
  const compaction = `{'class': 'TimeWindowCompactionStrategy', 'compaction_window_unit': 'HOURS', 'compaction_window_size': '${windowHours}'}`
  return {
    ttlSeconds,
    windowHours,
    cql: `compaction = ${compaction} AND default_time_to_live = ${ttlSeconds}`,
  }
}
