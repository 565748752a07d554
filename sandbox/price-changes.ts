import { type Leaf, plainOf, sayPlain } from './body-tree.ts'
import { formatExponent, formatFixed, multiply, parseFixed, rescale } from './decimal.ts'
import type { ServedValue } from './types.ts'

/** What a change of a price works with. */
export interface PriceContext {
  /** Of `scaled-price`: so many powers of ten; -8 makes a price in satoshi one in coins. */
  readonly digits: number
  /** Of `other-currency`: the other currency's rate. */
  readonly factor: string
  /** What the fault remembers from one call to the next. */
  readonly memory: Map<string, string>
}

/** Changes a price in its place. The price that the body says now; null = none that may be stored; undefined = nothing changed. */
export type PriceChange = (leaf: Leaf, value: ServedValue, context: PriceContext) => string | null | undefined

/** Raw JSON in the price's place, whatever it was before. */
const becomes =
  (text: string): PriceChange =>
  leaf => {
    leaf.text = text
    return null
  }

/** Another text of a number, as a number or as text, as it was. */
const says =
  (price: string): PriceChange =>
  leaf => {
    sayPlain(leaf, price)
    return null
  }

function told(leaf: Leaf, price: string): string | undefined {
  if (plainOf(leaf) === price) return undefined
  sayPlain(leaf, price)
  return price
}

/** 20 significant digits, the last one not 0: a float would lose some. */
function long(price: string): string {
  const value = parseFixed(price)
  const missing = Math.max(1, 20 - value.units.toString().length)
  return formatFixed({
    units: rescale(value, value.scale + missing).units + 7n,
    scale: value.scale + missing,
  })
}

/** `64,235.12`; of a price below 1,000 the decimal comma. */
function separated(price: string): string {
  const [whole = '', fraction = ''] = formatFixed(parseFixed(price)).split('.')
  if (whole.length < 4) return `${whole},${fraction}`
  return `${whole.replaceAll(/\B(?=(\d{3})+$)/g, ',')}.${fraction}`
}

function scaled(price: string, digits: number): string {
  const value = parseFixed(price)
  const scale = value.scale - digits
  return formatFixed(
    scale >= 0 ? { units: value.units, scale } : { units: value.units * 10n ** BigInt(-scale), scale: 0 },
  )
}

/** One price as the fault first saw it, for ever. */
const frozen: PriceChange = (leaf, value, { memory }) => {
  const name = `${value.sourceId}/${value.currency}`
  const first = memory.get(name)
  memory.set(name, first ?? value.price)
  return first === undefined ? undefined : told(leaf, first)
}

export const priceChanges = {
  'null-price': becomes('null'),
  'zero-price': says('0'),
  'negative-price': says('-1.5'),
  'empty-price': becomes('""'),
  'text-price': becomes('"N/A"'),
  'huge-price': says('1e400'),
  'object-price': leaf => {
    leaf.text = `{"value":${leaf.text}}`
    return null
  },
  'array-price': leaf => {
    leaf.text = `[${leaf.text}]`
    return null
  },
  'separators-price': (leaf, { price }) => {
    leaf.text = JSON.stringify(separated(price))
    return null
  },
  'retyped-price': (leaf, { price }) => {
    leaf.text = leaf.text.startsWith('"') ? price : JSON.stringify(price)
    return price
  },
  'exponent-price': (leaf, { price }) => told(leaf, formatExponent(parseFixed(price))),
  'long-price': (leaf, { price }) => told(leaf, long(price)),
  'scaled-price': (leaf, { price }, { digits }) => told(leaf, scaled(price, digits)),
  'other-currency': (leaf, { price }, { factor }) =>
    told(leaf, formatFixed(multiply(parseFixed(price), parseFixed(factor)))),
  'frozen-price': frozen,
} satisfies Record<string, PriceChange>
