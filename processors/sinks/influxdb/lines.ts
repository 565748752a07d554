/** A line of a request, with its time and the place in the batch of the record that it stands for; undefined = of none. */
export interface SentLine {
  readonly line: string
  readonly at: number
  readonly record?: number | undefined
}

const firstBytes = 64 * 1_024
/** Bytes of a character of a string in UTF-8, at most. */
const maxBytesPerUnit = 3
const newline = 0x0a

/**
 * Lines of a request, written as bytes one behind the other. As strings each of them would be kept as the tree of its forty pieces,
 * 1 kB for 350 bytes, until the request is made: for batches of thousands that was a third of all that the collector had to move.
 */
export class Lines {
  #bytes = Buffer.alloc(0)
  #end = 0
  /** Where each line ends, its newline included. */
  readonly #ends: number[] = []
  readonly #times: number[] = []
  readonly #records: (number | undefined)[] = []

  static of(lines: Iterable<SentLine>): Lines {
    const made = new Lines()
    for (const { line, at, record } of lines) made.push(line, at, record)
    return made
  }

  get length(): number {
    return this.#ends.length
  }

  push(line: string, at: number, record?: number): void {
    const most = this.#end + line.length * maxBytesPerUnit + 1
    if (most > this.#bytes.length) this.#grow(most)
    this.#end += this.#bytes.write(line, this.#end)
    this.#bytes[this.#end] = newline
    this.#end += 1
    this.#ends.push(this.#end)
    this.#times.push(at)
    this.#records.push(record)
  }

  /** @throws RangeError where there is no such line */
  at(place: number): SentLine {
    const [end, at] = [this.#ends[place], this.#times[place]]
    if (end === undefined || at === undefined) throw new RangeError(`there is no line ${place}`)
    const line = this.#bytes.toString('utf8', this.#ends[place - 1] ?? 0, end - 1)
    return { line, at, record: this.#records[place] }
  }

  /** Of each line, in order. */
  get places(): readonly number[] {
    return [...this.#ends.keys()]
  }

  /** Places of the records that have a line, in the order of the lines. */
  get records(): readonly number[] {
    return this.#records.filter(record => record !== undefined)
  }

  /** All of them, as the body of a request. */
  text(): string {
    return this.#bytes.toString('utf8', 0, Math.max(0, this.#end - 1))
  }

  #grow(bytes: number): void {
    const grown = Buffer.allocUnsafe(Math.max(bytes, firstBytes, this.#bytes.length * 2))
    this.#bytes.copy(grown, 0, 0, this.#end)
    this.#bytes = grown
  }
}
