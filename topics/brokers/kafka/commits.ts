import type { Consumer, EachBatchPayload } from 'kafkajs'
import type { CryptosError } from '../../../core/errors.ts'
import { SECOND } from '../../../core/time.ts'
import { isGroupMove, kafkaError } from './errors.ts'
import type { MemberPorts } from './member-ports.ts'

type CommitVia = EachBatchPayload['commitOffsetsIfNecessary']

/** Members meet again within seconds when a group moves. */
const refusedForMs = 10 * SECOND

/** The commits of one member of a group, by the way that kafkajs gives with a batch. */
export class Commits {
  readonly #ports: Pick<MemberPorts, 'clients' | 'clock'>
  readonly #group: string
  readonly #consumer: Consumer
  readonly #onLost: (error: CryptosError) => void
  #via: CommitVia | undefined
  /** Since when the group refuses them as those of no member; undefined = it does not. */
  #refusedSinceMs: number | undefined
  /** @param onLost the group refuses them for too long, and kafkajs does not join it anew */
  constructor(
    ports: Pick<MemberPorts, 'clients' | 'clock'>,
    { group, consumer }: { readonly group: string; readonly consumer: Consumer },
    onLost: (error: CryptosError) => void,
  ) {
    this.#ports = ports
    this.#group = group
    this.#consumer = consumer
    this.#onLost = onLost
  }

  use(via: CommitVia): void {
    this.#via = via
  }

  joined(): void {
    this.#refusedSinceMs = undefined
  }

  /** Durable in the group when it resolves. @throws CryptosError CRY_SERVER_*, or kafkajs' error where the group only moves */
  async commit(topic: string, partition: number, offset: number): Promise<void> {
    const { clients } = this.#ports
    const name = clients.nameOf(topic)
    const place = { partition, offset: String(offset) }
    try {
      // Before the first batch: kafkajs' other way says nothing where the consumer does not run, and costs a delivery again.
      if (this.#via) await this.#via({ topics: [{ topic: name, partitions: [place] }] })
      else await this.#consumer.commitOffsets([{ topic: name, ...place }])
      this.#refusedSinceMs = undefined
    } catch (error) {
      const told = kafkaError(error, `commit of group ${clients.nameOf(this.#group)}`, clients.servers)
      if (!isGroupMove(error)) throw told
      this.#refused(told)
      throw error
    }
  }

  /** kafkajs can commit for ever to a server that leads the group no more, while the one that does hears its heartbeats. */
  #refused(error: CryptosError): void {
    const nowMs = this.#ports.clock.monotonicMs()
    this.#refusedSinceMs ??= nowMs
    if (nowMs - this.#refusedSinceMs >= refusedForMs) this.#onLost(error)
  }
}
