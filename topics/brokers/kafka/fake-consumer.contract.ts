import type { Consumer, EachBatchPayload } from 'kafkajs'
import type { PartitionState } from '../../../core/ports/broker.ts'
import { VirtualClock } from '../../../core/virtual-clock.ts'
import { start, turns } from '../../harness.contract.ts'
import type { KafkaAdmin } from './admin.ts'
import type { KafkaClients } from './client.ts'
import { fetchedBatch } from './internals.ts'
import type { SubscriptionPorts } from './subscription.ts'
import type { KafkaTopics } from './topics.ts'

export const topic = 't'

/** Servers with one partition and a consumer of kafkajs, both in the hands of a test. */
export class FakeGroup {
  readonly clock = new VirtualClock(start)
  /** The consumers that were made, the newest last. */
  readonly consumers: FakeConsumer[] = []
  /** The committed offset; -1 = none. */
  committed = -1
  begin = 0
  end = 100
  /** What the servers say instead of the ends of the partition. */
  failure: Error | undefined
  /** Offsets that the log holds although nothing of them was fetched. */
  hidden: readonly number[] = []
  /** Whether the server that is asked to commit leads the group. */
  isLeader = true
  /** Why the server that leads the group does not answer. */
  leaderAway: Error | undefined
  openClusters = 0
  /** Members of which it was said that they left. */
  readonly left: string[] = []
  /** Holds the answers about ends back. */
  gate: Promise<void> = Promise.resolve()

  get ports(): SubscriptionPorts {
    const fake = {
      clients: {
        servers: ['fake:1'],
        nameOf: (name: string) => name,
        ownNameOf: (name: string) => name,
        consumer: () => {
          const made = new FakeConsumer(this)
          this.consumers.push(made)
          return made as unknown as Consumer
        },
        cluster: () => ({
          connect: async () => {
            this.openClusters += 1
          },
          disconnect: async () => {
            this.openClusters = 0
          },
          findGroupCoordinator: async () => ({
            leaveGroup: async ({ memberId }: { readonly memberId: string }) => {
              if (this.leaderAway) throw this.leaderAway
              this.left.push(memberId)
            },
          }),
        }),
      } as unknown as KafkaClients,
      admin: {
        run: async () =>
          this.committed < 0
            ? []
            : [{ topic, partitions: [{ partition: 0, offset: String(this.committed) }] }],
      } as unknown as KafkaAdmin,
      topics: {
        known: async () => ({ spec: { name: topic, partitions: 1 } }),
        states: () => this.#states(),
      } as unknown as KafkaTopics,
    }
    const holds = async (_topic: string, _partition: number, from: number, to: number): Promise<boolean> =>
      this.hidden.some(offset => offset >= from && offset < to)
    return { ...fake, clock: this.clock, holds }
  }

  get consumer(): FakeConsumer {
    const newest = this.consumers.at(-1)
    if (!newest) throw new Error('no consumer was made')
    return newest
  }

  async #states(): Promise<readonly PartitionState[]> {
    await this.gate
    if (this.failure) throw this.failure
    return [{ topic, partition: 0, begin: this.begin, end: this.end }]
  }

  /** Virtual time, second by second. */
  async pass(seconds: number): Promise<void> {
    for (let i = 0; i < seconds; i += 1) {
      this.clock.advance(1_000)
      await turns(5)
    }
  }
}

/** What a member uses of kafkajs' consumer. */
export class FakeConsumer {
  readonly events = {
    ...{ GROUP_JOIN: 'join', FETCH: 'fetch', HEARTBEAT: 'heartbeat', CRASH: 'crash' },
    COMMIT_OFFSETS: 'commit',
  }
  readonly pause = (): undefined => undefined
  readonly resume = (): undefined => undefined
  readonly seeks: number[] = []
  isRunning = true
  readonly #group: FakeGroup
  readonly #listeners = new Map<string, (event: object) => void>()
  #eachBatch: ((payload: EachBatchPayload) => Promise<void>) | undefined
  constructor(group: FakeGroup) {
    this.#group = group
  }
  on(event: string, listener: (event: object) => void): void {
    this.#listeners.set(event, listener)
  }
  connect(): Promise<void> {
    return Promise.resolve()
  }
  subscribe(): Promise<void> {
    return Promise.resolve()
  }
  async run(options: { readonly eachBatch: (payload: EachBatchPayload) => Promise<void> }): Promise<void> {
    this.#eachBatch = options.eachBatch
    this.join()
  }
  stop(): Promise<void> {
    return Promise.resolve()
  }
  disconnect(): Promise<void> {
    return Promise.resolve()
  }
  seek({ offset }: { readonly offset: string }): void {
    this.seeks.push(Number(offset))
  }

  async commitOffsets([place]: readonly { readonly offset: string }[]): Promise<void> {
    if (!this.#group.isLeader) throw notLeader()
    // kafkajs resolves all the same where the consumer does not run.
    if (!this.isRunning) return
    this.#group.committed = Number(place?.offset)
    const partitions = [{ partition: 0, offset: place?.offset }]
    this.emit('commit', { payload: { topics: [{ topic, partitions }] } })
  }

  /** The group is divided: the partition is ours, or not. */
  join(isOurs = true): void {
    const memberId = `member-${this.#group.consumers.length}`
    this.emit('join', { payload: { memberId, memberAssignment: isOurs ? { [topic]: [0] } : {} } })
  }
  emit(event: string, what: object = {}): void {
    this.#listeners.get(event)?.(what)
  }

  /** What was fetched from an offset: records from `first` to `last`. */
  async fetched(asked: number, first: number, last: number): Promise<void> {
    const messages = Array.from({ length: last - first + 1 }, (_, i) => ({
      key: Buffer.from('k'),
      value: Buffer.from(String(first + i)),
      timestamp: '0',
      offset: String(first + i),
      attributes: 0,
      headers: {},
    }))
    const data = { partition: 0, highWatermark: String(this.#group.end), messages }
    const payload = {
      batch: fetchedBatch(topic, String(asked), data),
      resolveOffset: () => undefined,
      commitOffsetsIfNecessary: ({ topics }: Offsets) =>
        this.commitOffsets([{ offset: topics[0]?.partitions[0]?.offset ?? '' }]),
    }
    await this.#eachBatch?.(payload as unknown as EachBatchPayload)
  }
}

const notLeader = (): Error =>
  Object.assign(new Error('This is not the correct coordinator for this group'), {
    name: 'KafkaJSProtocolError',
    type: 'NOT_COORDINATOR_FOR_GROUP',
  })

interface Offsets {
  readonly topics: readonly { readonly partitions: readonly { readonly offset: string }[] }[]
}
