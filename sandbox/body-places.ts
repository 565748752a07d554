import { type BodyNode, childrenOf, type Leaf, type ObjectNode, plainOf } from './body-tree.ts'
import type { ServedValue } from './types.ts'

/** Where one served price stands in a body. */
export interface PricePlace {
  readonly value: ServedValue
  readonly leaf: Leaf
  /** From the root to the leaf's container. */
  readonly above: readonly BodyNode[]
  /** What is about this asset alone: the element or member of the list that holds all prices; the root where there is one price only. */
  readonly row: BodyNode
}

/** A body and where its prices stand; prices that are not in the body as digits have no place. */
export interface Places {
  readonly root: BodyNode
  readonly prices: readonly PricePlace[]
  /** What holds the rows; undefined where the body has one price or none. */
  readonly list: BodyNode | undefined
}

/** Finds each served price by its very digits, in the order of the body: no knowledge of a provider's shape is needed. */
export function placesOf(root: BodyNode, served: readonly ServedValue[]): Places {
  const leaves = [...leavesOf(root, [])]
  const taken = new Set<Leaf>()
  const found = served.flatMap(value => {
    const place = leaves.find(({ leaf }) => !taken.has(leaf) && plainOf(leaf) === value.price)
    if (place) taken.add(place.leaf)
    return place ? [{ ...place, value }] : []
  })
  const list = found.length > 1 ? lowestShared(found.map(f => f.above)) : undefined
  return { root, list, prices: found.map(place => ({ ...place, row: rowOf(place, list, root) })) }
}

type Found = Pick<PricePlace, 'leaf' | 'above'>

export function* leavesOf(node: BodyNode, above: readonly BodyNode[]): Generator<Found> {
  if (node.kind === 'leaf') yield { leaf: node, above }
  for (const child of childrenOf(node)) yield* leavesOf(child, [...above, node])
}

function lowestShared(paths: readonly (readonly BodyNode[])[]): BodyNode | undefined {
  const [first = [], ...others] = paths
  return first.findLast(node => others.every(path => path.includes(node)))
}

function rowOf({ leaf, above }: Found, list: BodyNode | undefined, root: BodyNode): BodyNode {
  if (!list) return root
  return [...above, leaf][above.indexOf(list) + 1] ?? root
}

/** The nearest object above a place, and the member of it in which the place lies. */
export function memberOf({ leaf, above }: Found): { object: ObjectNode; index: number } | undefined {
  const path = [...above, leaf]
  const at = above.findLastIndex(node => node.kind === 'object')
  const object = above[at]
  if (object?.kind !== 'object') return undefined
  return { object, index: object.members.findIndex(([, value]) => value === path[at + 1]) }
}
