import { hash } from 'node:crypto'

/** What is kept of one version of a record. */
interface Entry {
  readonly version: number
  /** All fields, always in one order. */
  readonly bytes: Uint8Array
  /** Number of its answer; -1 = none. */
  readonly ref: number
  readonly price: string
}

/** Of each row so many words of the hash of its fields, the rest for its price. */
const hashWords = 3
const words = 5
const firstRows = 1_024

/** Version, hash, answer and price of numbered rows, in arrays of numbers: an object a row would take ten times as much. */
export class Table {
  count = 0
  /** NaN = there is no such row. */
  #versions = new Float64Array(firstRows).fill(Number.NaN)
  #refs = new Int32Array(firstRows)
  #hashes = new Uint32Array(firstRows * words)

  set(row: number, { version, bytes, ref, price }: Entry): void {
    this.#grow(row)
    if (Number.isNaN(this.#versions[row])) this.count += 1
    this.#versions[row] = version
    this.#refs[row] = ref
    const at = row * words
    const digest = digestOf(bytes)
    for (let i = 0; i < hashWords; i += 1) this.#hashes[at + i] = digest.readUInt32LE(i * 4)
    for (let i = hashWords; i < words; i += 1) this.#hashes[at + i] = mixed(price, i)
  }

  version(row: number): number | undefined {
    const version = this.#versions[row]
    return version === undefined || Number.isNaN(version) ? undefined : version
  }

  *rows(): Iterable<number> {
    for (let row = 0; row < this.#versions.length; row += 1) if (!Number.isNaN(this.#versions[row])) yield row
  }

  /** Whether the row is of the same answer as the entry, but not the same. */
  differs(row: number, { bytes, ref }: Entry): boolean {
    if (this.#refs[row] !== ref) return false
    const digest = digestOf(bytes)
    for (let i = 0; i < hashWords; i += 1)
      if (this.#hashes[row * words + i] !== digest.readUInt32LE(i * 4)) return true
    return false
  }

  isLike(other: Table, row: number): boolean {
    if (this.version(row) === undefined || this.version(row) !== other.version(row)) return false
    for (let i = row * words; i < row * words + hashWords; i += 1)
      if (this.#hashes[i] !== other.#hashes[i]) return false
    return true
  }

  hasPrice(row: number, price: string): boolean {
    if (this.version(row) === undefined) return false
    for (let i = hashWords; i < words; i += 1)
      if (this.#hashes[row * words + i] !== mixed(price, i)) return false
    return true
  }

  /** Text for the price of a row: `priceKeyOf`. */
  priceKey(row: number): string {
    return [row, ...this.#hashes.subarray(row * words + hashWords, (row + 1) * words)].join(' ')
  }

  #grow(row: number): void {
    if (row < this.#versions.length) return
    const rows = Math.max(row + 1, Math.ceil(this.#versions.length * 1.5))
    const versions = new Float64Array(rows).fill(Number.NaN)
    versions.set(this.#versions)
    const refs = new Int32Array(rows)
    refs.set(this.#refs)
    const hashes = new Uint32Array(rows * words)
    hashes.set(this.#hashes)
    this.#versions = versions
    this.#refs = refs
    this.#hashes = hashes
  }
}

/** A short text for a price of a row. */
export const priceKeyOf = (row: number, price: string): string =>
  [row, mixed(price, hashWords), mixed(price, hashWords + 1)].join(' ')

const digestOf = (bytes: Uint8Array): Buffer => hash('sha256', bytes, 'buffer')

/** FNV-1a with a start of its own for each word: nobody can gain by two prices that look alike here. */
function mixed(text: string, word: number): number {
  let sum = Math.imul(0x811c9dc5, word + 1)
  for (let i = 0; i < text.length; i += 1) sum = Math.imul(sum ^ text.charCodeAt(i), 0x01000193)
  return sum >>> 0
}
