import type { Consumer, ConsumerCommitOffsetsEvent, EachBatchPayload } from 'kafkajs'
import { CryptosError } from '../../../core/errors.ts'
import { SECOND } from '../../../core/time.ts'
import { isGroupMove, kafkaError } from './errors.ts'
import type { MemberPorts } from './member-ports.ts'
import { ignore } from '../../../core/waiting.ts'

type CommitVia = EachBatchPayload['commitOffsetsIfNecessary']

/** Members meet again within seconds when a group moves. */
const refusedForMs = 10 * SECOND
/** Refusals that are further apart have nothing to do with each other: a commit is tried again after 10 s at most. */
const apartMs = 15 * SECOND

export interface CommitsOptions {
  readonly group: string
  readonly consumer: Consumer
  /** The group refuses them for too long, and kafkajs does not join it anew. */
  readonly onLost: (error: CryptosError) => void
}

/** The commits of one member of a group, by the way that kafkajs gives with a batch. */
export class Commits {
  readonly #ports: Pick<MemberPorts, 'clients' | 'clock'>
  readonly #options: CommitsOptions
  #via: CommitVia | undefined
  #joins = 0
  /** Of refusals that followed each other; undefined = the newest commit was taken. */
  #refused: { readonly sinceMs: number; readonly lastMs: number } | undefined
  /** Commits without a batch, by place: kafkajs repeats them, and an old one must not be taken after a newer one. */
  readonly #early = new Map<string, Promise<unknown>>()
  readonly #taken = new Map<string, number>()
  constructor(ports: Pick<MemberPorts, 'clients' | 'clock'>, options: CommitsOptions) {
    this.#ports = ports
    this.#options = options
    const { consumer } = options
    consumer.on(consumer.events.COMMIT_OFFSETS, event => this.#note(event))
  }

  use(via: CommitVia): void {
    this.#via = via
  }

  joined(): void {
    this.#joins += 1
    this.#refused = undefined
  }

  /** Durable in the group when it resolves. @throws CryptosError CRY_SERVER_*, or kafkajs' error where the group only moves */
  async commit(topic: string, partition: number, offset: number): Promise<void> {
    const { clients } = this.#ports
    const joins = this.#joins
    const place = { topic: clients.nameOf(topic), partition, offset: String(offset) }
    try {
      await this.#early.get(keyOf(place))?.catch(ignore)
      await (this.#via ? this.#via({ topics: [topicOf(place)] }) : this.#commitEarly(place))
      this.#refused = undefined
    } catch (error) {
      const what = `commit of group ${clients.nameOf(this.#options.group)}`
      const told = kafkaError(error, what, clients.servers)
      if (!isGroupMove(error)) throw told
      if (joins === this.#joins) this.#refuse(told)
      throw error
    }
  }

  /** Before the first batch there is only kafkajs' other way, which resolves without a word where the consumer does not run. */
  async #commitEarly(place: Place): Promise<void> {
    const key = keyOf(place)
    const commit = this.#options.consumer.commitOffsets([place])
    this.#early.set(key, commit)
    try {
      await commit
    } finally {
      if (this.#early.get(key) === commit) this.#early.delete(key)
    }
    if ((this.#taken.get(key) ?? -1) < Number(place.offset))
      throw new CryptosError('CRY_SERVER_UNREACHABLE', 'Kafka: the consumer ended before its commit')
  }

  #note({ payload }: ConsumerCommitOffsetsEvent): void {
    // The first batch ends the early ones, and these need no notes.
    if (this.#via) return
    for (const { topic, partitions } of payload.topics)
      for (const { partition, offset } of partitions)
        this.#taken.set(keyOf({ topic, partition }), Number(offset))
  }

  /** kafkajs can commit for ever to a server that leads the group no more, while the one that does hears its heartbeats. */
  #refuse(error: CryptosError): void {
    const nowMs = this.#ports.clock.monotonicMs()
    const before = this.#refused
    const sinceMs = before && nowMs - before.lastMs < apartMs ? before.sinceMs : nowMs
    this.#refused = { sinceMs, lastMs: nowMs }
    if (nowMs - sinceMs >= refusedForMs) this.#options.onLost(error)
  }
}

interface Place {
  readonly topic: string
  readonly partition: number
  readonly offset: string
}

const keyOf = ({ topic, partition }: Pick<Place, 'topic' | 'partition'>): string => `${topic}/${partition}`

const topicOf = ({ topic, partition, offset }: Place) => ({ topic, partitions: [{ partition, offset }] })
