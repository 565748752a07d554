import { randomUUID } from 'node:crypto'
import type { PollPorts } from '../collectors/poll-types.ts'
import type { PublishResult } from '../collectors/publish.ts'
import { Publisher } from '../collectors/publisher.ts'
import { providers } from '../collectors/registry.ts'
import { RunGaps } from '../collectors/run-gaps.ts'
import type { Broker } from '../core/ports/broker.ts'
import type { Clock } from '../core/ports/clock.ts'
import type { Ledger } from '../core/ports/ledger.ts'
import { SECOND } from '../core/time.ts'
import { atMost } from '../core/waiting.ts'
import { systemClock } from '../host/clock.ts'
import { marketRecordMessage } from '../topics/messages.ts'
import type { Log } from './log.ts'
import { topics } from './stores.ts'
import { untilSignal } from './until-signal.ts'

const settleMs = 3 * SECOND

export interface PublishingPorts {
  readonly ledger: Ledger
  readonly broker: () => Promise<Broker>
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
  /** Files answer at once; a server that is away must not hold up the end. */
  readonly isServer: boolean
}

/** Brings what this process collected to the topics: answers out of the outbox, and gaps. */
export class Publishing {
  readonly #ports: PublishingPorts
  /** The promise is kept, not what comes of it: callers that arrive while the broker opens must share one publisher. */
  #publisher: Promise<Publisher> | undefined
  readonly #gaps = new RunGaps()
  constructor(ports: PublishingPorts) {
    this.#ports = ports
  }

  readonly publish = (): Promise<PublishResult> => {
    this.#publisher ??= this.#open().catch((error: unknown) => {
      this.#publisher = undefined
      throw error
    })
    return this.#patiently(this.#publisher.then(publisher => publisher.publish()))
  }

  readonly reportGaps: NonNullable<PollPorts['reportGaps']> = async (task, result, startedAt) => {
    const messages = this.#gaps.of(task, result, startedAt).map(gap => marketRecordMessage(topics, gap))
    if (messages.length > 0)
      await this.#patiently(this.#ports.broker().then(broker => broker.produce(messages)))
    this.#gaps.told(result)
  }

  /**
   * When the broker is closed and the ledger is not: resolves when what the signal left to itself has come to its end. Its lease would
   * keep every other publisher waiting otherwise. A server that does not answer is not waited for longer than 3 s.
   */
  async settled(): Promise<void> {
    // Whoever asked for one that could not be opened was told why.
    const publisher = await this.#publisher?.catch(() => undefined)
    // In real time: a clock of a test may stand still.
    if (publisher) await atMost(settleMs, publisher.settled(), systemClock)
  }

  async #open(): Promise<Publisher> {
    const { ledger, clock, log } = this.#ports
    const broker = await this.#ports.broker()
    return new Publisher({ ledger, broker, clock, providers, topics, holder: randomUUID(), log })
  }

  /** What it still does after the signal is seen by the outbox. */
  #patiently<T>(work: Promise<T>): Promise<T> {
    const { isServer, signal } = this.#ports
    return isServer ? untilSignal(work, signal) : work
  }
}
