import type { EpochMicros } from '../../core/brands.ts'
import type { Broker } from '../../core/ports/broker.ts'
import type { Clock } from '../../core/ports/clock.ts'
import type { Gap, Origin } from '../../core/records.ts'
import { marketRecordMessage } from '../../topics/messages.ts'
import type { TopicTable } from '../../topics/table.ts'
import { gapOfLoss, type GroupPlace, type Loss } from './gaps.ts'

export interface TellPorts {
  readonly broker: Broker
  readonly clock: Clock
  readonly topics: TopicTable
  /** Of the installation's data: live or sandbox. */
  readonly origin: Origin
}

/** Tells of lost records in `source.events.v1`, so that they are stored and shown like any gap; of each record once in a process. */
export class LossTeller {
  readonly #ports: TellPorts
  /** First offset that was not told as lost, by place. */
  readonly #toldTo = new Map<string, number>()
  /** Heard of and not told yet. */
  readonly #heard: Loss[] = []
  #telling: Promise<void> | undefined
  constructor(ports: TellPorts) {
    this.#ports = ports
  }

  /** For the callback of a consumer. Never throws: what the broker does not take is told by the next `tellHeard`. */
  hear(loss: Loss): void {
    this.#heard.push(loss)
    // The watch tries again each minute, and says what is wrong then.
    this.tellHeard().catch(() => undefined)
  }

  /** Tells what was heard of. @throws what the broker throws: what is left waits */
  tellHeard(): Promise<void> {
    this.#telling ??= this.#drain().finally(() => {
      this.#telling = undefined
    })
    return this.#telling
  }

  async #drain(): Promise<void> {
    for (let loss = this.#heard[0]; loss !== undefined; loss = this.#heard[0]) {
      await this.tell(loss)
      this.#heard.shift()
    }
  }

  /** Resolves when it is durable. @throws what the broker throws: nothing is told then */
  async tell(loss: Loss): Promise<void> {
    const key = keyOf(loss)
    const from = Math.max(loss.from, this.#toldTo.get(key) ?? 0)
    if (from >= loss.to) return
    const now = this.#ports.clock.now()
    const keptAt = (await timeAt(this.#ports.broker, loss, loss.to)) ?? now
    // Another of the two that look for losses may have told it meanwhile.
    if (from < (this.#toldTo.get(key) ?? 0)) return await this.tell(loss)
    const before = this.#toldTo.get(key) ?? 0
    this.#toldTo.set(key, loss.to)
    try {
      await tellGap(this.#ports, gapOfLoss({ ...loss, from }, { now, keptAt, origin: this.#ports.origin }))
    } catch (error) {
      this.#toldTo.set(key, before)
      throw error
    }
  }
}

export const keyOf = ({ group, topic, partition }: GroupPlace): string => `${group} ${topic}/${partition}`

/** Durable when it resolves. */
export async function tellGap({ broker, topics }: TellPorts, gap: Gap): Promise<void> {
  await broker.produce([marketRecordMessage(topics, gap)])
}

/** Time of the first record at or after an offset; undefined = there is none. */
export async function timeAt(
  broker: Broker,
  { topic, partition }: Pick<GroupPlace, 'topic' | 'partition'>,
  offset: number,
): Promise<EpochMicros | undefined> {
  for await (const message of broker.read(topic, { offset, partition })) return message.timestamp
  return undefined
}
