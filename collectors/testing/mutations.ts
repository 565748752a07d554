import { copyTree, type Place, putAt, type Tree } from './json-tree.ts'

/** One way to spoil one place of a body. `run` says false where it does not fit. */
export interface Mutation {
  readonly name: string
  /** Changes how many items an array has: only one of these at a time, two could make a shifted row of the right length. */
  readonly shifts?: true
  readonly run: (place: Place) => boolean
}

type Bare = Tree extends infer T ? (T extends Tree ? Omit<T, 'id'> : never) : never
const number = (text: string): Bare => ({ kind: 'number', text })
const text = (value: string): Bare => ({ kind: 'text', text: value })

/** No id, time, currency or name of a field is among them: what the body itself says is right by every measure there is. */
const values: readonly (readonly [string, Bare])[] = [
  ['null', { kind: 'word', text: 'null' }],
  ['true', { kind: 'word', text: 'true' }],
  ['an empty array', { kind: 'array', items: [] }],
  ['an empty object', { kind: 'object', members: [] }],
  ...[
    '0',
    '0.000',
    '-3.5',
    '1e400',
    '1e-400',
    '12345678901234567890.5',
    '98765432109876543210',
    '1.5e-7',
  ].map(value => [`the number ${value}`, number(value)] as const),
  ...[
    ...[
      '',
      ' ',
      'x',
      '0',
      '-3.5',
      '+4.5',
      '1e400',
      '12345678901234567890.5',
      '1.5e-7',
      '1,234.56',
      '1.234,56',
    ],
    ...[
      '1 234.5',
      ' 4.5',
      '4.5 ',
      '4.5USD',
      '$4.5',
      '04.5',
      '.5',
      '4.',
      '0x1F',
      'NaN',
      'Infinity',
      '-',
      '٤',
      '４',
    ],
    ...['__proto__', 'constructor', 'null', '\u0000', '\ud800'],
  ].map(value => [`the text ${JSON.stringify(value)}`, text(value)] as const),
]

const replacing: readonly Mutation[] = values.map(([name, value]) => ({
  name: `becomes ${name}`,
  run: place => {
    putAt(place, { ...copyTree({ ...value, id: place.node.id } as Tree), id: place.node.id })
    return true
  },
}))

const isJsonNumber = (value: string): boolean => /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(value)

/** A number becomes text, a text of a number a number. */
function retype(place: Place): boolean {
  const { node } = place
  if (node.kind === 'number') putAt(place, { id: node.id, kind: 'text', text: node.text })
  else if (node.kind === 'text' && isJsonNumber(node.text))
    putAt(place, { id: node.id, kind: 'number', text: node.text })
  else return false
  return true
}

const drop = ({ parent, index }: Place): boolean => {
  if (parent.kind === 'array') parent.items.splice(index, 1)
  else parent.members.splice(index, 1)
  return true
}

const cutArray =
  (keep: (length: number) => number) =>
  ({ node }: Place): boolean => {
    if (node.kind !== 'array' || node.items.length === 0) return false
    node.items = node.items.slice(0, keep(node.items.length))
    return true
  }

/** A text that loses its end; never one that becomes the id of another asset, see `mutationsOf`. */
const cutText =
  (keep: (length: number) => number, ids: ReadonlySet<string>) =>
  ({ node }: Place): boolean => {
    if (node.kind !== 'text' || node.text.length < 2) return false
    const rest = node.text.slice(0, keep(node.text.length))
    if (ids.has(rest)) return false
    node.text = rest
    return true
  }

const rename =
  (name: string) =>
  ({ parent, index }: Place): boolean => {
    const member = parent.kind === 'object' && parent.members[index]
    if (member) member[0] = name
    return Boolean(member)
  }

/** The same name a second time: the last one counts for most readers, the first for some. */
const twice =
  (value: Bare, where: 'before' | 'after') =>
  ({ node, parent, index }: Place): boolean => {
    const member = parent.kind === 'object' && parent.members[index]
    if (!member || parent.kind !== 'object') return false
    const twin: [string, Tree] = [member[0], { ...value, id: node.id } as Tree]
    parent.members.splice(where === 'before' ? index : index + 1, 0, twin)
    return true
  }

/** A member that a careless merge or lookup would take for the object's own nature. */
const poison =
  (name: string, inner: string) =>
  ({ node }: Place): boolean => {
    if (node.kind !== 'object') return false
    const made = (value: Bare): Tree => ({ ...value, id: -1 }) as Tree
    const price = made(number('666.25'))
    const names = ['price', 'polluted', 'last', 'value', 'usd', 'USD', 'c', 'data', 'result', 'quote', 'id']
    const evil = made({ kind: 'object', members: names.map(n => [n, price]) })
    const whole = inner === '' ? evil : made({ kind: 'object', members: [[inner, evil]] })
    node.members.push([name, whole])
    return true
  }

const wrap =
  (make: (node: Tree) => Bare) =>
  (place: Place): boolean => {
    putAt(place, { ...make(place.node), id: place.node.id } as Tree)
    return true
  }

const addItem =
  (make: (items: readonly Tree[]) => Tree) =>
  ({ node }: Place): boolean => {
    if (node.kind !== 'array') return false
    node.items.push(make(node.items))
    return true
  }
const nothing: Tree = { id: -1, kind: 'word', text: 'null' }

/** All ways to spoil a place. `ids` are the source ids that no cut text may become. */
export const mutationsOf = (ids: ReadonlySet<string>): readonly Mutation[] => [
  ...replacing,
  { name: 'becomes the other of number and text', run: retype },
  { name: 'is gone', shifts: true, run: drop },
  { name: 'has its first item only', shifts: true, run: cutArray(() => 1) },
  { name: 'lacks its last item', shifts: true, run: cutArray(length => length - 1) },
  { name: 'has an item more', shifts: true, run: addItem(() => nothing) },
  { name: 'has its last item twice', shifts: true, run: addItem(items => copyTree(items.at(-1) ?? nothing)) },
  { name: 'lacks its last character', run: cutText(length => length - 1, ids) },
  { name: 'is cut in half', run: cutText(length => Math.ceil(length / 2), ids) },
  ...['x', '', '__proto__', 'constructor', 'toString', 'hasOwnProperty'].map(name => ({
    name: `is named ${JSON.stringify(name)}`,
    run: rename(name),
  })),
  { name: 'is in an array', shifts: true, run: wrap(node => ({ kind: 'array', items: [node] })) },
  { name: 'is in an object', run: wrap(node => ({ kind: 'object', members: [['x', node]] })) },
  ...(['before', 'after'] as const).flatMap(where => [
    { name: `stands twice, null ${where}`, run: twice({ kind: 'word', text: 'null' }, where) },
    { name: `stands twice, a number ${where}`, run: twice(number('4.125'), where) },
    { name: `stands twice, a text ${where}`, run: twice(text('4.125'), where) },
  ]),
  { name: 'has a __proto__', run: poison('__proto__', '') },
  { name: 'has a constructor', run: poison('constructor', 'prototype') },
]
