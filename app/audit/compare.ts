import { createHash } from 'node:crypto'
/** What is compared of a place; see Side. */
interface Place {
  readonly name: string
  readonly held: ReadonlyMap<
    string,
    { readonly version: number; readonly hash: string; readonly group: string }
  >
  readonly conflicts: ReadonlyMap<string, string>
}

export interface Difference {
  /** `conflict`: two copies of one record, with one version, that are not alike. */
  readonly kind: 'missing' | 'extra' | 'changed' | 'conflict'
  /** The place that differs from the answers (what was worked out: from the topic); for `bars` and `latest`: from the store's own rows. */
  readonly in: string
  readonly group: string
  readonly id: string
}

export interface GroupTotal {
  readonly group: string
  readonly count: number
  readonly hash: string
}

/** Count and hash of each (provider, asset, hour): equal hashes mean equal rows, whatever their order was. */
export function totals(side: Place): ReadonlyMap<string, GroupTotal> {
  const lines = new Map<string, string[]>()
  for (const [id, held] of side.held) {
    const group = lines.get(held.group) ?? []
    group.push(`${id} ${held.version} ${held.hash}`)
    lines.set(held.group, group)
  }
  return new Map(
    [...lines].map(([group, all]) => {
      const hash = createHash('sha256')
        .update(all.sort((a, b) => (a < b ? -1 : 1)).join('\n'))
        .digest('hex')
        .slice(0, 16)
      return [group, { group, count: all.length, hash }]
    }),
  )
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
  const found = [...actual.conflicts].map(
    ([id, group]): Difference => ({ kind: 'conflict', in: actual.name, group, id }),
  )
  for (const [id, held] of expected.held) {
    const there = actual.held.get(id)
    if (pending.has(id)) continue
    if (!there && (later.get(id) ?? -1) >= held.version) continue
    if (!there) found.push({ kind: 'missing', in: actual.name, group: held.group, id })
    else if (there.hash !== held.hash || there.version !== held.version)
      found.push({ kind: 'changed', in: actual.name, group: held.group, id })
  }
  for (const [id, held] of actual.held)
    if (!expected.held.has(id)) found.push({ kind: 'extra', in: actual.name, group: held.group, id })
  return found
}
