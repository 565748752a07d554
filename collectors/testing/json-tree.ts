import { type Json, JsonArray, JsonNumber, JsonObject, parseExact } from '../json.ts'

/** A JSON value that tests can change: numbers are text, members a list (so a name may stand twice), each node knows its origin. */
export type Tree = { id: number } & (
  | { kind: 'number' | 'text'; text: string }
  | { kind: 'word'; text: 'null' | 'true' | 'false' }
  | { kind: 'array'; items: Tree[] }
  | { kind: 'object'; members: [name: string, value: Tree][] }
)

type Container = Extract<Tree, { kind: 'array' | 'object' }>

/** Where a node hangs: its container and the place in it, and where that hangs. */
export interface Place {
  readonly node: Tree
  readonly parent: Container
  readonly index: number
  readonly up: Place | undefined
}

/** Reads JSON text; ids are 0, 1, 2 … in document order. */
export function readTree(text: string): Tree {
  let ids = 0
  const read = (value: Json): Tree => {
    const id = ids++
    if (value instanceof JsonNumber) return { id, kind: 'number', text: value.text }
    if (typeof value === 'string') return { id, kind: 'text', text: value }
    if (value instanceof JsonArray) return { id, kind: 'array', items: value.items().map(read) }
    if (!(value instanceof JsonObject)) return { id, kind: 'word', text: String(value) as 'null' }
    return { id, kind: 'object', members: value.entries().map(([name, v]) => [name, read(v)]) }
  }
  return read(parseExact(new TextEncoder().encode(text)))
}

export function writeTree(node: Tree): string {
  switch (node.kind) {
    case 'number':
    case 'word':
      return node.text
    case 'text':
      return JSON.stringify(node.text)
    case 'array':
      return `[${node.items.map(writeTree).join(',')}]`
    case 'object':
      return `{${node.members.map(([name, v]) => `${JSON.stringify(name)}:${writeTree(v)}`).join(',')}}`
  }
}

/** A copy to change; ids stay, so that a place is known again. */
export function copyTree(node: Tree): Tree {
  if (node.kind === 'array') return { ...node, items: node.items.map(copyTree) }
  if (node.kind === 'object')
    return { ...node, members: node.members.map(([name, v]) => [name, copyTree(v)]) }
  return { ...node }
}

/** Every node but the root, in document order. */
export function placesOf(root: Tree): Place[] {
  const found: Place[] = []
  const walk = (parent: Tree, up: Place | undefined): void => {
    if (parent.kind !== 'array' && parent.kind !== 'object') return
    const count = parent.kind === 'array' ? parent.items.length : parent.members.length
    for (let index = 0; index < count; index += 1) {
      const node = parent.kind === 'array' ? parent.items[index] : parent.members[index]?.[1]
      if (!node) continue
      const place = { node, parent, index, up }
      found.push(place)
      walk(node, place)
    }
  }
  walk(root, undefined)
  return found
}

/** `$.data[0].price`. */
export function pathOf({ parent, index, up }: Place): string {
  const step = parent.kind === 'array' ? `[${index}]` : `.${parent.members[index]?.[0]}`
  return `${up ? pathOf(up) : '$'}${step}`
}

/** Puts a node in the place of another. */
export function putAt({ parent, index }: Place, node: Tree): void {
  if (parent.kind === 'array') parent.items[index] = node
  else parent.members[index] = [parent.members[index]?.[0] ?? '', node]
}
