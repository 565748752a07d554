import type { EpochMicros } from '../../core/brands.ts'
import type { OutboxEntry } from '../../core/ports/ledger.ts'
import type { RederiveRange } from './rederive.ts'

/** Answers that are published in one go, so that those of a long range never fill the outbox. */
export interface Slice {
  readonly from: EpochMicros
  readonly to: EpochMicros
  readonly answers: number
}

const sliceAnswers = 200
const sliceBytes = 8 * 1_024 * 1_024

/** Cuts the range where enough answers came together, between two times of receipt. */
export class Slices {
  answers = 0
  oldestAt: EpochMicros | null = null
  readonly #range: RederiveRange
  readonly #cuts: Slice[] = []
  #open = { answers: 0, bytes: 0, last: 0 }
  constructor(range: RederiveRange) {
    this.#range = range
  }

  add({ receivedAt, body }: OutboxEntry): void {
    this.oldestAt ??= receivedAt
    const { answers, bytes, last } = this.#open
    if (receivedAt > last && (answers >= sliceAnswers || bytes >= sliceBytes)) this.#cut(receivedAt)
    this.answers += 1
    this.#open.answers += 1
    this.#open.bytes += body.byteLength
    this.#open.last = receivedAt
  }

  all(): readonly Slice[] {
    if (this.#open.answers > 0) this.#cut(this.#range.to)
    return this.#cuts
  }

  #cut(to: EpochMicros): void {
    const from = this.#cuts.at(-1)?.to ?? this.#range.from
    this.#cuts.push({ from, to, answers: this.#open.answers })
    this.#open = { answers: 0, bytes: 0, last: 0 }
  }
}
