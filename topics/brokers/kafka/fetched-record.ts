import type { IHeaders } from 'kafkajs'
import { setOwn } from './own-field.ts'

/** What is used of what kafkajs says of the batch of the log that a record lies in. */
export interface BatchContext {
  readonly firstOffset: string
  readonly firstTimestamp: string
  readonly maxTimestamp: string
  readonly timestampType: number
  readonly isControlBatch: boolean
  readonly magicByte: number
}

const logAppendTime = 1
/** In the place of its headers. */
const cut = -1

/**
 * A record of the log as it was fetched: a place in the bytes of the answer, read when it is asked for, with the properties of kafkajs'
 * own records. Those are a dozen objects, 3 kB for 500 bytes of the log, made of every record although most wait for their turn: that
 * was most of what a consumer held, and a third of what was collected.
 *
 * Record = attributes int8, timestampDelta varlong, offsetDelta varint, key, value, headers; numbers up to 2^53
 * (https://kafka.apache.org/documentation/#record).
 */
export class FetchedRecord {
  readonly batchContext: BatchContext
  /** Bytes of key, value and headers in the log. */
  readonly bytes: number
  readonly #log: Buffer
  readonly #key: number
  readonly #value: number
  readonly #headers: number
  readonly #offsetDelta: number
  readonly #timestampDelta: number

  /** Where its parts do not end where the record does, all of it is the value: no reader takes that for one of its own. */
  constructor(log: Buffer, from: number, to: number, batchContext: BatchContext) {
    const cursor = new Cursor(log, from + 1)
    this.batchContext = batchContext
    this.#log = log
    this.#timestampDelta = cursor.number()
    this.#offsetDelta = cursor.number()
    this.bytes = to - cursor.at
    this.#key = cursor.at
    cursor.pass()
    this.#value = cursor.at
    cursor.pass()
    this.#headers = cursor.at
    let left = cursor.number() * 2
    for (; left > 0 && cursor.at < to; left -= 1) cursor.pass()
    if (cursor.at !== to || left > 0) this.#headers = cut
  }

  get magicByte(): number {
    return this.batchContext.magicByte
  }
  get attributes(): number {
    return 0
  }
  get isControlRecord(): boolean {
    return this.batchContext.isControlBatch
  }
  get offset(): string {
    return String(Number(this.batchContext.firstOffset) + this.#offsetDelta)
  }
  get timestamp(): string {
    const { timestampType, maxTimestamp, firstTimestamp } = this.batchContext
    if (timestampType === logAppendTime) return maxTimestamp
    return String(Number(firstTimestamp) + this.#timestampDelta)
  }
  get key(): Buffer | null {
    return this.#headers === cut ? null : new Cursor(this.#log, this.#key).bytes()
  }
  get value(): Buffer | null {
    return this.#headers === cut
      ? this.#log.subarray(this.#key, this.#key + this.bytes)
      : new Cursor(this.#log, this.#value).bytes()
  }
  /** Values as text, where kafkajs gives bytes; a list where a name comes more than once. */
  get headers(): IHeaders {
    if (this.#headers === cut) return {}
    const cursor = new Cursor(this.#log, this.#headers)
    const headers: Record<string, string | string[]> = {}
    for (let left = cursor.number(); left > 0; left -= 1) {
      const name = cursor.text()
      const text = cursor.text()
      if (Object.hasOwn(headers, name)) headers[name] = [headers[name] ?? [], text].flat()
      else setOwn(headers, name, text)
    }
    return headers
  }
}

/** Reads numbers and pieces of the log, one after the other. */
class Cursor {
  at: number
  readonly #log: Buffer
  constructor(log: Buffer, at: number) {
    this.#log = log
    this.at = at
  }

  /** A zigzag number of variable length. Behind the end of the log all are 0. */
  number(): number {
    const first = this.#log[this.at] ?? 0
    if (first < 0x80) {
      this.at += 1
      return (first >>> 1) ^ -(first & 1)
    }
    let sum = 0
    for (let weight = 1; ; weight *= 0x80) {
      const byte = this.#log[this.at] ?? 0
      this.at += 1
      sum += (byte & 0x7f) * weight
      if (byte < 0x80) break
    }
    return sum % 2 === 0 ? sum / 2 : -(sum + 1) / 2
  }

  /** Goes behind a piece. */
  pass(): void {
    const length = this.number()
    if (length > 0) this.at += length
  }

  bytes(): Buffer | null {
    const length = this.number()
    if (length < 0) return null
    this.at += length
    return this.#log.subarray(this.at - length, this.at)
  }

  /** '' where there is none. */
  text(): string {
    const length = this.number()
    if (length < 0) return ''
    this.at += length
    return this.#log.toString('utf8', this.at - length, this.at)
  }
}
