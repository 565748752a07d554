import { isCryptosError } from '../core/errors.ts'
import type { Broker, TopicMessage } from '../core/ports/broker.ts'
import type { Ledger } from '../core/ports/ledger.ts'
import type { QuotaEvent } from '../core/records.ts'
import { quotaEventJson } from '../topics/codecs/quota-event-json.ts'
import { quotaEventMessage } from '../topics/messages.ts'
import type { Log } from './log.ts'

export interface QuotaEventPorts {
  readonly ledger: Ledger
  readonly broker: Broker
  /** Name of the topic of the quota events. */
  readonly topic: string
  readonly log?: Log
}

const pageSize = 500
/** So many of the newest messages are looked at for the last event of this ledger. */
const lookBack = 1_000

/**
 * Brings the ledger's events to their topic, in order. Where it stands is read from the topic itself: the newest event of this
 * ledger there. Nothing else is kept, so nothing can disagree; a repeat has the same record id.
 */
export class QuotaEventPublisher {
  readonly #ports: QuotaEventPorts
  #after: number | undefined
  constructor(ports: QuotaEventPorts) {
    this.#ports = ports
  }

  /** Returns how many were published. @throws what the broker or the ledger throws */
  async publish(): Promise<number> {
    const { ledger, broker, topic } = this.#ports
    let published = 0
    for (;;) {
      this.#after ??= await this.#newestPublished()
      const events = await ledger.events({ limit: pageSize, after: this.#after })
      if (events.length === 0) return published
      await broker.produce(events.map((event): TopicMessage => quotaEventMessage(topic, event)))
      published += events.length
      this.#after = events.at(-1)?.sequence ?? this.#after
      if (events.length < pageSize) return published
    }
  }

  async #newestPublished(): Promise<number> {
    const { ledger, broker, topic, log } = this.#ports
    const own = (await ledger.events({ limit: 1 }))[0]?.ledger
    const states = await broker.partitions(topic)
    const end = Math.max(0, ...states.map(s => s.end))
    let newest = 0
    for await (const message of broker.read(topic, { offset: Math.max(0, end - lookBack) })) {
      if (message.value === null) continue
      const event = decoded(message.value)
      if (!event)
        log?.warn({ topic, offset: message.offset }, 'a message that is no quota event was passed over')
      else if (event.ledger === own) newest = Math.max(newest, event.sequence)
    }
    return newest
  }
}

/** undefined for what another program wrote: it says nothing about where this ledger stands. */
function decoded(value: Uint8Array): QuotaEvent | undefined {
  try {
    return quotaEventJson.decode(value)
  } catch (error) {
    if (isCryptosError(error)) return undefined
    throw error
  }
}
