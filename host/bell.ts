import { closeSync, openSync, watch, writeSync } from 'node:fs'
import { toCryptosError } from '../core/errors.ts'
import { SECOND } from '../core/time.ts'

/**
 * Wakes readers in other threads and processes after a commit: the writer writes one byte to `<db>.bell` AFTER its COMMIT.
 * (Watching the -wal file instead fires before the commit is visible.) A bell that a crash swallowed is made up for by a slow poll.
 */
export class Bell {
  readonly #file: string
  #handle: number | undefined
  constructor(databaseFile: string) {
    this.#file = `${databaseFile}.bell`
  }

  ring(): void {
    this.#handle ??= this.#open()
    writeSync(this.#handle, '.', 0)
  }

  /** Calls back after each ring (many may become one) and every `pollMs` besides. Returns the function that stops it. */
  listen(callback: () => void, pollMs = SECOND): () => void {
    closeSync(openSync(this.#file, 'a', 0o600))
    const watcher = watch(this.#file, { persistent: false }, callback)
    watcher.on('error', error =>
      process.emitWarning(`the bell ${this.#file} is polled only: ${toCryptosError(error).message}`),
    )
    const timer = setInterval(callback, pollMs)
    timer.unref()
    return () => {
      clearInterval(timer)
      watcher.close()
    }
  }

  /** For writing in place: in append mode every ring would make the file longer. */
  #open(): number {
    closeSync(openSync(this.#file, 'a', 0o600))
    return openSync(this.#file, 'r+')
  }

  close(): void {
    if (this.#handle !== undefined) closeSync(this.#handle)
    this.#handle = undefined
  }
}
