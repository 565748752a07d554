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
    for (const statements of this.#byKey.values())
      for (let i = 0; i < statements.length; i += rowsOfBatch) yield statements.slice(i, i + rowsOfBatch)
  }
}

/** One mutation of at most so many rows: the server takes it in one piece, and its size stays far below half of a commit log segment. */
const rowsOfBatch = 50
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

  /** Resolves when all are stored. After an error nothing more is begun, and what is on its way is waited for. */
  async writeAll(partitions: Partitions): Promise<void> {
    const batches = partitions.batches()[Symbol.iterator]()
    const failed: unknown[] = []
    const lane = async (): Promise<void> => {
      for (let next = batches.next(); !next.done && failed.length === 0; next = batches.next())
        await this.#one(next.value).catch((error: unknown) => failed.push(error))
    }
    await Promise.all(Array.from({ length: maxInFlight }, lane))
    if (failed.length > 0) throw failed[0]
  }

  async #one(statements: readonly Statement[]): Promise<void> {
    if (this.#free === 0) await new Promise<void>(resolve => this.#waiting.push(resolve))
    else this.#free -= 1
    try {
      await this.#session.batch(statements)
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free += 1
    }
  }
}
