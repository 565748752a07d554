import { type PublishPorts, publishPending, type PublishResult } from './publish.ts'

/** One publisher of this process: calls while it works become one more round after it, which sees what they had stored. */
export class Publisher {
  readonly #ports: PublishPorts
  #running: Promise<PublishResult> | undefined
  #next: Promise<PublishResult> | undefined
  constructor(ports: PublishPorts) {
    this.#ports = ports
  }

  /** @throws what `publishPending` throws */
  readonly publish = (): Promise<PublishResult> => {
    // Who waits is asked first: between two rounds none is running, and a third must not slip in beside the second.
    if (this.#next !== undefined) return this.#next
    if (this.#running === undefined) return this.#start()
    this.#next = this.#running.then(this.#start, this.#start)
    return this.#next
  }

  /** Resolves when no round is under way, however it ended: then its lease is given back. */
  async settled(): Promise<void> {
    for (let last = this.#last(); last !== undefined; last = this.#last()) await Promise.allSettled([last])
  }

  #last(): Promise<PublishResult> | undefined {
    return this.#next ?? this.#running
  }

  readonly #start = (): Promise<PublishResult> => {
    this.#next = undefined
    this.#running = publishPending(this.#ports).finally(() => {
      this.#running = undefined
    })
    return this.#running
  }
}
