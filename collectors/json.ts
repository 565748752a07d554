import { isUtf8 } from 'node:buffer'
import { CryptosError } from '../core/errors.ts'
import { defaultJsonLimits, type JsonLimits, NODE, scanJson } from './json-scan.ts'

/** A JSON number as text, with the very digits of its source; never a float. */
export class JsonNumber {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** A JSON value; objects and arrays are read only where they are asked. */
export type Json = string | boolean | null | JsonNumber | JsonArray | JsonObject

/** Node's own slices, without the look at the encoding's name that `toString` takes each time. */
interface Slices extends Uint8Array {
  latin1Slice(start: number, end: number): string
  utf8Slice(start: number, end: number): string
}

interface Document {
  readonly body: Slices
  readonly tape: Int32Array
}

/**
 * JSON whose numbers keep their digits: `1.50`, `9.614444201187e-12` and 18 digits come out as they were sent. Strict RFC 8259;
 * one pass notes the places, values are built when they are read, so that what nobody reads (tags, platforms) costs a scan only.
 * Of two members with one name the last wins; no member name means anything special.
 * @throws CryptosError CRY_PROVIDER_PAYLOAD for text that is not JSON, not UTF-8, or over a limit
 */
export function parseExact(body: Uint8Array, limits: JsonLimits = defaultJsonLimits): Json {
  if (body.byteLength > limits.maxBytes)
    throw new CryptosError(
      'CRY_PROVIDER_PAYLOAD',
      `${body.byteLength} bytes of JSON are over ${limits.maxBytes}`,
    )
  if (!isUtf8(body)) throw new CryptosError('CRY_PROVIDER_PAYLOAD', 'not JSON: the bytes are not UTF-8')
  const tape = scanJson(body, limits)
  return valueAt({ body: slicesOf(body), tape }, 0)
}

const slicesOf = (body: Uint8Array): Slices =>
  Buffer.from(body.buffer, body.byteOffset, body.byteLength) as unknown as Slices

/** A JSON array. */
export class JsonArray {
  readonly #document: Document
  readonly #node: number
  constructor(document: Document, node: number) {
    this.#document = document
    this.#node = node
  }

  items(): Json[] {
    const found: Json[] = []
    const after = linkOf(this.#document, this.#node)
    for (let node = this.#node + NODE; node < after; node = nextOf(this.#document, node))
      found.push(valueAt(this.#document, node))
    return found
  }
}

/** A JSON object: a list of members, not a JavaScript object, so `__proto__` is a name like any other. */
export class JsonObject {
  readonly #document: Document
  readonly #node: number
  constructor(document: Document, node: number) {
    this.#document = document
    this.#node = node
  }

  /** The member of that name, the last if there are several; undefined if there is none. */
  get(name: string): Json | undefined {
    const document = this.#document
    const after = linkOf(document, this.#node)
    let found = -1
    for (let key = this.#node + NODE; key < after; key = nextOf(document, key + NODE))
      if (nameIs(document, key, name)) found = key
    return found < 0 ? undefined : valueAt(document, found + NODE)
  }

  /** Names in document order, each once, with the value that `get` gives. */
  entries(): [string, Json][] {
    const found = new Map<string, Json>()
    const after = linkOf(this.#document, this.#node)
    for (let key = this.#node + NODE; key < after; key = nextOf(this.#document, key + NODE))
      found.set(stringAt(this.#document, key), valueAt(this.#document, key + NODE))
    return [...found]
  }

  /** Every member in document order, a name as often as it stands: for objects whose names are ids of rows. */
  members(): [string, Json][] {
    const document = this.#document
    return this.#keys().map(key => [stringAt(document, key), valueAt(document, key + NODE)])
  }

  /** Whether a name stands here more than once: two objects that have run into each other, and nothing tells whose a value is. */
  repeatsName(): boolean {
    const document = this.#document
    const keys = this.#keys()
    // Escapes can spell one name in several ways; and among many names comparing each with each takes too long.
    if (keys.length > mostCompared || keys.some(key => linkOf(document, key) !== 0))
      return new Set(keys.map(key => stringAt(document, key))).size < keys.length
    return keys.some((key, i) => isAmong(document, key, keys, i))
  }

  #keys(): number[] {
    const keys: number[] = []
    const after = linkOf(this.#document, this.#node)
    for (let key = this.#node + NODE; key < after; key = nextOf(this.#document, key + NODE)) keys.push(key)
    return keys
  }
}

/** So many names are compared each with each, byte by byte, which builds no text. */
const mostCompared = 64

/** Whether one of the first `count` keys has the very bytes of this one. */
function isAmong({ body, tape }: Document, key: number, keys: readonly number[], count: number): boolean {
  const start = tape[key] ?? 0
  const size = (tape[key + 1] ?? 0) - start
  for (let i = 0; i < count; i += 1) {
    const other = keys[i] ?? 0
    const from = tape[other] ?? 0
    if ((tape[other + 1] ?? 0) - from !== size) continue
    let at = 0
    while (at < size && body[start + at] === body[from + at]) at += 1
    if (at === size) return true
  }
  return false
}

const startOf = ({ tape }: Document, node: number): number => tape[node] ?? 0
const endOf = ({ tape }: Document, node: number): number => tape[node + 1] ?? 0
const linkOf = ({ tape }: Document, node: number): number => tape[node + 2] ?? 0

/** A string's bytes stand between its quotes, so the byte before them tells it from the rest. */
const isString = (document: Document, node: number): boolean =>
  document.body[startOf(document, node) - 1] === 34

/** The node after this one and all that is in it: only containers have a link above 1. */
function nextOf({ tape }: Document, node: number): number {
  const link = tape[node + 2] ?? 0
  return link > 1 ? link : node + NODE
}

function valueAt(document: Document, node: number): Json {
  if (isString(document, node)) return stringAt(document, node)
  const kind = document.body[startOf(document, node)]
  if (kind === 123) return new JsonObject(document, node)
  if (kind === 91) return new JsonArray(document, node)
  if (kind === 110) return null
  if (kind === 116) return true
  if (kind === 102) return false
  return new JsonNumber(document.body.latin1Slice(startOf(document, node), endOf(document, node)))
}

function stringAt(document: Document, node: number): string {
  const text = document.body.utf8Slice(startOf(document, node), endOf(document, node))
  return linkOf(document, node) === 0 ? text : (JSON.parse(`"${text}"`) as string)
}

/** Compares without building the name: most members are passed over, by their length alone. */
function nameIs(document: Document, key: number, name: string): boolean {
  const { body, tape } = document
  const start = tape[key] ?? 0
  const end = tape[key + 1] ?? 0
  // Escapes and names beyond ASCII take more bytes than units.
  if (end - start > name.length) return isWide(document, key) && stringAt(document, key) === name
  if (end - start < name.length) return false
  for (let i = 0; i < name.length; i += 1) if (body[start + i] !== name.charCodeAt(i)) return false
  return true
}

/** Whether a name has escapes or bytes beyond ASCII, and so has to be built to be compared. */
function isWide(document: Document, key: number): boolean {
  if (linkOf(document, key) !== 0) return true
  for (let at = startOf(document, key); at < endOf(document, key); at += 1)
    if ((document.body[at] ?? 0) > 127) return true
  return false
}
