import type { Session, Statement } from './session.ts'

/** Statements by the partition that they write to. */
export class Partitions {
  readonly #byKey = new Map<unknown, Statement[]>()

  /** @param key whatever there is one of for each partition */
  add(key: unknown, statement: Statement): void {
    const there = this.#byKey.get(key)
    if (there) there.push(statement)
    else this.#byKey.set(key, [statement])
  }

  /** In batches of one partition each. */
  *batches(): Iterable<readonly Statement[]> {
    for (const statements of this.#byKey.values()) yield* inBatches(statements)
  }
}

/** One mutation of at most so many rows: the server takes it in one piece, and its size stays far below half of a commit log segment. */
const rowsOfBatch = 50
export function* inBatches<T>(rows: readonly T[]): Iterable<readonly T[]> {
  for (let i = 0; i < rows.length; i += rowsOfBatch) yield rows.slice(i, i + rowsOfBatch)
}

/** Of one process, whatever number of batches is delivered at once: the driver refuses far more on one connection. */
const maxInFlight = 64

/** Writes batches of partitions at once, never more than the driver takes. */
export class Writer {
  readonly #session: Session
  readonly #waiting: (() => void)[] = []
  #free = maxInFlight
  constructor(session: Session) {
    this.#session = session
  }

  /**
   * Resolves when all are stored. A batch is asked for when there is room to send it, so that what it takes to make one is not held
   * before. After an error nothing more is begun, and what is on its way is waited for.
   */
  async writeAll(batches: Iterable<readonly Statement[]>): Promise<void> {
    const left = batches[Symbol.iterator]()
    const failed: unknown[] = []
    const lane = async (): Promise<void> => {
      while (failed.length === 0 && (await this.#sendNext(left, failed)));
    }
    await Promise.all(Array.from({ length: maxInFlight }, lane))
    if (failed.length > 0) throw failed[0]
  }

  /** As soon as there is room. False where nothing is to be sent any more. */
  async #sendNext(left: Iterator<readonly Statement[]>, failed: unknown[]): Promise<boolean> {
    if (this.#free === 0) await new Promise<void>(resolve => this.#waiting.push(resolve))
    else this.#free -= 1
    try {
      const next = failed.length === 0 ? left.next() : undefined
      if (next === undefined || next.done === true) return false
      await this.#session.batch(next.value)
      return true
    } catch (error) {
      failed.push(error)
      return false
    } finally {
      const waiting = this.#waiting.shift()
      if (waiting) waiting()
      else this.#free += 1
    }
  }
}
