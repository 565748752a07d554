import type { BatchLimits } from '../core/ports/broker.ts'

/**
 * Collects items until count, bytes or age close a batch. Pure: time comes in as a parameter.
 *
 * Every item comes out exactly once and in order. No batch has more than `maxRecords`; none has more than `maxBytes`
 * unless a single item is larger than that; none waits longer than `maxAgeMs` after its first item if `due` is asked then.
 */
export class Batcher<Item> {
  readonly #limits: BatchLimits
  readonly #bytesOf: (item: Item) => number
  #items: Item[] = []
  #bytes = 0
  #openedAtMs = 0
  constructor(limits: BatchLimits, bytesOf: (item: Item) => number) {
    this.#limits = limits
    this.#bytesOf = bytesOf
  }

  /** How many items wait. */
  get size(): number {
    return this.#items.length
  }

  /**
   * Adds an item; returns the batch that it closed, which holds the item unless the item did not fit any more.
   * `bytes` = its size, where the caller has counted it before.
   */
  add(item: Item, nowMs: number, bytes = this.#bytesOf(item)): readonly Item[] | undefined {
    const before = this.#bytes + bytes > this.#limits.maxBytes ? this.take() : undefined
    if (this.#items.length === 0) this.#openedAtMs = nowMs
    this.#items.push(item)
    this.#bytes += bytes
    if (before) return before
    const full = this.#items.length >= this.#limits.maxRecords || this.#bytes >= this.#limits.maxBytes
    return full ? this.take() : undefined
  }

  /** The waiting batch if it is full or old enough. */
  due(nowMs: number): readonly Item[] | undefined {
    return this.dueInMs(nowMs) === 0 ? this.take() : undefined
  }

  /** Milliseconds until the waiting batch closes; undefined while nothing waits. */
  dueInMs(nowMs: number): number | undefined {
    if (this.#items.length === 0) return undefined
    if (this.#items.length >= this.#limits.maxRecords || this.#bytes >= this.#limits.maxBytes) return 0
    return Math.max(0, this.#openedAtMs + this.#limits.maxAgeMs - nowMs)
  }

  /** All that waits, whatever the limits say; undefined when nothing does. */
  take(): readonly Item[] | undefined {
    if (this.#items.length === 0) return undefined
    const items = this.#items
    this.#items = []
    this.#bytes = 0
    return items
  }
}
