import { CryptosError } from '../core/errors.ts'

/** A number, text, boolean or null as its JSON text: `1.50`, `"1.50"`, `null`. */
export interface Leaf {
  readonly kind: 'leaf'
  text: string
}
export interface ArrayNode {
  readonly kind: 'array'
  items: BodyNode[]
}
/** Members in the order of the body; names may repeat, and none means anything special. */
export interface ObjectNode {
  readonly kind: 'object'
  members: [name: string, value: BodyNode][]
}
/** A JSON body that can be changed without touching one digit of what stays. */
export type BodyNode = Leaf | ArrayNode | ObjectNode

export const leaf = (text: string): Leaf => ({ kind: 'leaf', text })

const token = /\s*([[\]{}:,]|"(?:[^"\\]|\\.)*"|[^\s[\]{}:,"]+)/y

/** @throws CryptosError CRY_VALUE_INVALID for text that is no JSON */
export function parseTree(text: string): BodyNode {
  JSON.parse(text)
  const tokens: string[] = []
  token.lastIndex = 0
  for (let found = token.exec(text); found; found = token.exec(text)) tokens.push(found[1] ?? '')
  const reader = { tokens, at: 0 }
  return readNode(reader)
}

interface Reader {
  readonly tokens: readonly string[]
  at: number
}

function readNode(reader: Reader): BodyNode {
  const first = take(reader)
  if (first === '[') return { kind: 'array', items: readList(reader, ']', () => readNode(reader)) }
  if (first !== '{') return leaf(first)
  const members = readList(reader, '}', (): [string, BodyNode] => {
    const name = JSON.parse(take(reader)) as string
    take(reader)
    return [name, readNode(reader)]
  })
  return { kind: 'object', members }
}

function readList<T>(reader: Reader, end: string, read: () => T): T[] {
  const found: T[] = []
  if (reader.tokens[reader.at] === end) take(reader)
  else
    do found.push(read())
    while (take(reader) === ',')
  return found
}

function take(reader: Reader): string {
  const text = reader.tokens[reader.at]
  if (text === undefined) throw new CryptosError('CRY_VALUE_INVALID', 'not JSON: it ends too soon')
  reader.at += 1
  return text
}

export function printTree(node: BodyNode): string {
  if (node.kind === 'leaf') return node.text
  if (node.kind === 'array') return `[${node.items.map(printTree).join(',')}]`
  return `{${node.members.map(([name, value]) => `${JSON.stringify(name)}:${printTree(value)}`).join(',')}}`
}

/** The nodes in a container, in order. */
export function childrenOf(node: BodyNode): readonly BodyNode[] {
  if (node.kind === 'leaf') return []
  return node.kind === 'array' ? node.items : node.members.map(([, value]) => value)
}

/** The node and all below it, parents first. */
export function* nodesOf(node: BodyNode): Generator<BodyNode> {
  yield node
  for (const child of childrenOf(node)) yield* nodesOf(child)
}

export const cloneTree = <N extends BodyNode>(node: N): N => structuredClone(node)

/** Takes a child out of its container. */
export function removeChild(container: BodyNode, child: BodyNode): void {
  if (container.kind === 'array') container.items = container.items.filter(item => item !== child)
  else if (container.kind === 'object')
    container.members = container.members.filter(([, value]) => value !== child)
}

/** Puts a node in the place of another. */
export function replaceChild(container: BodyNode, child: BodyNode, by: BodyNode): void {
  if (container.kind === 'array') container.items = container.items.map(item => (item === child ? by : item))
  else if (container.kind === 'object')
    container.members = container.members.map(([name, value]) => [name, value === child ? by : value])
}

/** What a leaf says: a number's digits, a text without its quotes. */
export const plainOf = ({ text }: Leaf): string =>
  text.startsWith('"') ? (JSON.parse(text) as string) : text

/** The leaf says something else; what was text stays text, what was a number stays one. */
export function sayPlain(node: Leaf, plain: string): void {
  node.text = node.text.startsWith('"') ? JSON.stringify(plain) : plain
}
