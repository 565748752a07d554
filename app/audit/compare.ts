/** What is compared of a place; see Side. */
interface Place {
  readonly name: string
  readonly conflicts: ReadonlySet<string>
  ids(): Iterable<string>
  versionOf(id: string): number | undefined
  groupOf(id: string): string
}

export interface Difference {
  /** `conflict`: two copies of one record, with one version, that are not alike. */
  readonly kind: 'missing' | 'extra' | 'changed' | 'conflict'
  /** The place that differs from the answers (what was worked out: from the topic); for `bars` and `latest`: from the store's own rows. */
  readonly in: string
  /** Which store, where it is one's. */
  readonly store?: string
  readonly group: string
  readonly id: string
}

/** Ids that a place need not have. */
export interface Excused {
  has(id: string): boolean
}

/**
 * Every difference of `actual` from `expected`. `pending` are ids that are on their way to `actual`: not missing yet. `later` are
 * the versions by id that came to `actual` after the audited time: what they replaced is not missing either.
 */
export function compare<P extends Place & { isLike(other: P, id: string): boolean }>(
  expected: P,
  actual: P,
  pending: Excused,
  later: ReadonlyMap<string, number> = new Map(),
): Difference[] {
  const differs = (kind: Difference['kind'], id: string): Difference => ({
    ...{ kind, in: actual.name, group: actual.groupOf(id), id },
  })
  const found = [...actual.conflicts].map(id => differs('conflict', id))
  for (const id of expected.ids()) {
    if (pending.has(id)) continue
    const isThere = actual.versionOf(id) !== undefined
    if (!isThere && (later.get(id) ?? -1) >= (expected.versionOf(id) ?? 0)) continue
    if (!isThere) found.push(differs('missing', id))
    else if (!actual.isLike(expected, id)) found.push(differs('changed', id))
  }
  for (const id of actual.ids()) if (expected.versionOf(id) === undefined) found.push(differs('extra', id))
  return found
}
