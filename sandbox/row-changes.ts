import { memberOf, type Places, type PricePlace } from './body-places.ts'
import {
  type BodyNode,
  cloneTree,
  leaf,
  nodesOf,
  parseTree,
  plainOf,
  removeChild,
  sayPlain,
} from './body-tree.ts'
import { timeIn } from './label-changes.ts'
import type { ServedValue } from './types.ts'

/** Changes a body around one price. What the row's values are now; undefined = the body has no such place. */
export type RowChange = (place: PricePlace, places: Places) => readonly ServedValue[] | undefined

/** Values of a row of its own making never belong to an asset that was asked. */
const strangerOf = (sourceId: string): string =>
  /^\d+$/.test(sourceId) ? `99999${sourceId}` : `${sourceId}-namesake`

const renamed: RowChange = place => {
  const member = memberOf(place)
  const entry = member?.object.members[member.index]
  if (!entry) return undefined
  entry[0] = `${entry[0]}_v2`
  return []
}

/** The array of the row in which the price stands ends before it; the list of all rows is not meant (`omitted-row`). */
const truncated: RowChange = ({ above, leaf: price }, { list }) => {
  const at = above.findLastIndex(node => node.kind === 'array' || node === list)
  if (above[at] === list) return undefined
  const array = above[at]
  if (array?.kind !== 'array') return undefined
  array.items = array.items.slice(0, array.items.indexOf(above[at + 1] ?? price))
  return []
}

const omitted: RowChange = ({ row }, { list }) => {
  if (!list) return undefined
  removeChild(list, row)
  return []
}

/** The row once more at the end of its list, or under its own name again, ten times as dear. */
const duplicated: RowChange = (place, { list }) => {
  const price = dearer(place)
  const copy = copyWith(place, [[place.value.price, price]])
  if (list?.kind === 'array') list.items.push(copy)
  else if (list?.kind === 'object')
    list.members.push([list.members.find(([, row]) => row === place.row)?.[0] ?? '', copy])
  else return undefined
  return [place.value, { ...place.value, price }]
}

/** Before the row another of the same symbol, with an id of its own, ten times as dear. */
const collided: RowChange = (place, { list }) => {
  const { sourceId } = place.value
  const stranger = strangerOf(sourceId)
  const price = dearer(place)
  const copy = copyWith(place, [
    [place.value.price, price],
    [sourceId, stranger],
  ])
  if (list?.kind === 'object') list.members.unshift([stranger, copy])
  else if (list?.kind === 'array' && says(place.row, sourceId)) list.items.unshift(copy)
  else return undefined
  return [place.value, { ...place.value, sourceId: stranger, price }]
}

const dearer = ({ value }: PricePlace): string => `9${value.price}`

const says = (node: BodyNode, plain: string): boolean =>
  [...nodesOf(node)].some(each => each.kind === 'leaf' && plainOf(each) === plain)

function copyWith({ row }: PricePlace, changes: readonly (readonly [string, string])[]): BodyNode {
  const copy = cloneTree(row)
  for (const node of nodesOf(copy)) {
    const change = node.kind === 'leaf' && changes.find(([from]) => from === plainOf(node))
    if (change && node.kind === 'leaf') sayPlain(node, change[1])
  }
  return copy
}

/** Members that a careless program takes for its own: JSON.parse keeps them, an assignment obeys them. */
const evil = '{"price":"1","c":["1"],"polluted":true,"prototype":{"polluted":true}}'

const withProtoKeys: RowChange = ({ value }, { root }) => {
  for (const node of [...nodesOf(root)])
    if (node.kind === 'object')
      node.members.push(['__proto__', parseTree(evil)], ['constructor', parseTree(evil)])
  return [value]
}

const withNewKeys: RowChange = ({ value, row }) => {
  for (const node of [...nodesOf(row)])
    if (node.kind === 'object')
      // Names that no provider has: a name twice would be another trouble.
      node.members.unshift(['tvl_share_v3', leaf('null')], ['minted_v3', parseTree('{"price":[1,"2"]}')])
  return [value]
}

/** What is not the price, its time, the id or text is gone from the row. */
const withoutKeys: RowChange = ({ value, row, leaf: price }) => {
  let isChanged = false
  for (const node of nodesOf(row)) {
    if (node.kind !== 'object') continue
    const kept = node.members.filter(
      ([, member]) =>
        member.kind !== 'leaf' ||
        member === price ||
        member.text.startsWith('"') ||
        plainOf(member) === value.sourceId ||
        timeIn(plainOf(member), (value.observedAt ?? 0) / 1_000) !== undefined,
    )
    isChanged ||= kept.length < node.members.length
    node.members = kept
  }
  return isChanged ? [value] : undefined
}

export const rowChanges = {
  'renamed-field': renamed,
  'truncated-array': truncated,
  'omitted-row': omitted,
  'duplicate-row': duplicated,
  'symbol-collision': collided,
  'proto-keys': withProtoKeys,
  'new-keys': withNewKeys,
  'gone-keys': withoutKeys,
} satisfies Record<string, RowChange>
