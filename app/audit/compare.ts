/** What is compared of a place; see Side. */
interface Place {
  readonly name: string
  readonly held: ReadonlyMap<string, { readonly version: number; readonly hash: string }>
  readonly conflicts: ReadonlySet<string>
  groupOf(id: string): string
}

export interface Difference {
  /** `conflict`: two copies of one record, with one version, that are not alike. */
  readonly kind: 'missing' | 'extra' | 'changed' | 'conflict'
  /** The place that differs from the answers (what was worked out: from the topic); for `bars` and `latest`: from the store's own rows. */
  readonly in: string
  readonly group: string
  readonly id: string
}

/**
 * Every difference of `actual` from `expected`. `pending` are ids that are on their way to `actual`: not missing yet. `later` are
 * the versions by id that came to `actual` after the audited time: what they replaced is not missing either.
 */
export function compare(
  expected: Place,
  actual: Place,
  pending: ReadonlySet<string>,
  later: ReadonlyMap<string, number> = new Map(),
): Difference[] {
  const differs = (kind: Difference['kind'], id: string): Difference => ({
    ...{ kind, in: actual.name, group: actual.groupOf(id), id },
  })
  const found = [...actual.conflicts].map(id => differs('conflict', id))
  for (const [id, held] of expected.held) {
    const there = actual.held.get(id)
    if (pending.has(id)) continue
    if (!there && (later.get(id) ?? -1) >= held.version) continue
    if (!there) found.push(differs('missing', id))
    else if (there.hash !== held.hash || there.version !== held.version) found.push(differs('changed', id))
  }
  for (const id of actual.held.keys()) if (!expected.held.has(id)) found.push(differs('extra', id))
  return found
}
