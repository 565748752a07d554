import type { Batch, Consumer, ConsumerGroupJoinEvent, EachBatchPayload } from 'kafkajs'
import { CryptosError } from '../../../core/errors.ts'
import type { ConsumeOptions, PartitionState } from '../../../core/ports/broker.ts'
import { SECOND } from '../../../core/time.ts'
import { placeOf } from './assigned.ts'
import type { Assigned } from './assigned.ts'
import { Commits } from './commits.ts'
import { limitsAfterFetch, newConsumer } from './fetching.ts'
import { committedOf } from './groups.ts'
import type { CommittedOffset } from './groups.ts'
import { fetchedAt } from './internals.ts'
import type { MemberPorts } from './member-ports.ts'
import { Silence } from './silence.ts'
import type { Silent } from './silence.ts'
import { startOf } from './start.ts'
import { Turns, batchesInHand } from './turns.ts'
import { atMost, ignore } from '../../../core/waiting.ts'
import { PartitionWorker } from './worker.ts'

/**
 * One member of a group: a kafkajs consumer from its start to its end. kafkajs fetches, keeps the membership and divides the
 * partitions; each assigned partition has a worker that hands out batches and commits. kafkajs' own commits are off: it would
 * commit a place by merely seeking it, and so move a group back.
 */
export class Member {
  readonly #ports: MemberPorts
  readonly #options: ConsumeOptions
  readonly #consumer: Consumer
  readonly #ended = Promise.withResolvers<unknown>()
  readonly #over = new AbortController()
  readonly #turns = new Turns(batchesInHand)
  #assigned = new Map<string, Assigned>()
  #generation = 0
  readonly #commits: Commits
  #id: string | undefined
  #isStopped = false
  readonly #silence: Silence
  constructor(ports: MemberPorts, options: ConsumeOptions) {
    this.#ports = ports
    // The servers' waiting is part of the age.
    this.#options = { ...options, limits: limitsAfterFetch(options.limits) }
    const onSilent = (seconds: number, what: Silent): void => {
      const why = what === 'lost' ? 'the group has not heard this member' : 'no answer'
      const told = `Kafka at ${ports.clients.servers.join(', ')}: ${why} for ${seconds} s`
      const error = new CryptosError('CRY_SERVER_UNREACHABLE', told)
      if (what === 'told') ports.onReadFailed(error)
      else this.#lost(error)
    }
    this.#silence = new Silence(ports.clock, onSilent, ports.onReadWorks)
    this.#consumer = newConsumer(ports.clients, options)
    this.#commits = new Commits(ports, {
      ...{ group: options.group, consumer: this.#consumer },
      onLost: error => this.#lost(error),
    })
  }

  /** What the group calls who is over; undefined = it never joined, or kafkajs has not stopped it yet. */
  get departedId(): string | undefined {
    return this.#isStopped ? this.#id : undefined
  }

  /** Lives until the signal fires (then undefined) or the consumer can not go on (then why). Nothing of it is left when it resolves. */
  async live(): Promise<unknown> {
    const { signal } = this.#options
    const stop = (): void => this.#ended.resolve(undefined)
    signal.addEventListener('abort', stop)
    this.#listen()
    const started = this.#start()
    this.#silence.watch(this.#over.signal).catch(ignore)
    try {
      return await this.#ended.promise
    } finally {
      signal.removeEventListener('abort', stop)
      await this.#leave(started)
    }
  }

  /** It can not go on, and kafkajs does not notice. */
  #lost(error: CryptosError): void {
    if (this.#over.signal.aborted) return
    this.#ports.onReadFailed(error)
    this.#ended.resolve(error)
  }

  #listen(): void {
    const { events } = this.#consumer
    this.#consumer.on(events.GROUP_JOIN, event => this.#joined(event))
    this.#consumer.on(events.FETCH, () => this.#silence.sign())
    this.#consumer.on(events.HEARTBEAT, () => this.#silence.beat())
    this.#consumer.on(events.CRASH, ({ payload }) => this.#ended.resolve(payload.error))
  }

  async #start(): Promise<void> {
    try {
      const topics = this.#options.topics.map(t => this.#ports.clients.nameOf(t))
      await this.#consumer.connect()
      await this.#consumer.subscribe({ topics, fromBeginning: true })
      await this.#consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: 16,
        eachBatch: payload => this.#took(payload),
      })
    } catch (error) {
      this.#ended.resolve(error ?? new Error('the consumer did not start'))
    }
  }

  /** Workers first, so that what they did is committed; then the group is left. A start that hangs is not waited for. */
  async #leave(started: Promise<void>): Promise<void> {
    this.#over.abort()
    const workers = [...this.#assigned.values()]
    if (!this.#options.signal.aborted) for (const { worker } of workers) worker?.leave()
    await Promise.all(workers.map(a => a.ended))
    this.#generation += 1
    // kafkajs forgets to stop a consumer that is just joining, so it is stopped when it has.
    const left = started.then(async () => {
      await this.#consumer.stop()
      await this.#consumer.disconnect()
      this.#isStopped = true
    })
    await atMost(3 * SECOND, left, this.#ports.clock)
  }

  /** kafkajs calls it in the same turn in which it got the assignment, before it fetches anything. */
  #joined({ payload }: ConsumerGroupJoinEvent): void {
    this.#silence.beat()
    this.#id = payload.memberId
    this.#commits.joined()
    if (this.#over.signal.aborted) return
    this.#generation += 1
    const before = this.#assigned
    this.#assigned = new Map()
    for (const [name, partitions] of Object.entries(payload.memberAssignment)) {
      const topic = this.#ports.clients.ownNameOf(name)
      if (topic === undefined) continue
      this.#consumer.pause([{ topic: name, partitions }])
      for (const partition of partitions)
        this.#assign(topic, partition, before.get(placeOf(topic, partition)))
    }
    for (const [place, { worker }] of before) if (!this.#assigned.has(place)) worker?.leave()
    this.#begin(this.#generation).catch(error => this.#ended.resolve(error))
  }

  #assign(topic: string, partition: number, before: Assigned | undefined): void {
    // What is in work here is not in vain where the partition stays.
    before?.worker?.finish()
    const ended = before?.ended ?? Promise.resolve()
    this.#assigned.set(placeOf(topic, partition), {
      topic,
      partition,
      worker: before?.worker,
      isOpen: false,
      ended,
    })
  }

  /** Finds where each partition goes on, and sets a worker to work. */
  async #begin(generation: number): Promise<void> {
    const { topics, admin, clients } = this.#ports
    const assigned = [...this.#assigned.values()]
    const named = [...new Set(assigned.map(a => a.topic))]
    const states = (await Promise.all(named.map(topic => topics.states(topic)))).flat()
    const committed = await committedOf(admin, clients, this.#options.group)
    if (generation !== this.#generation) return
    this.#ports.onReadWorks()
    await Promise.all(assigned.map(a => this.#open(generation, a, { states, committed })))
  }

  async #open(
    generation: number,
    assigned: Assigned,
    known: { readonly states: readonly PartitionState[]; readonly committed: readonly CommittedOffset[] },
  ): Promise<void> {
    const { topic, partition } = assigned
    const isHere = (a: { readonly topic: string; readonly partition: number }): boolean =>
      a.topic === topic && a.partition === partition
    await assigned.ended
    const old = assigned.worker
    const group = Math.max(known.committed.find(isHere)?.offset ?? -1, old?.committed ?? -1)
    const own = await this.#options.startAt?.(topic, partition)
    const done = this.#ports.done.get(placeOf(topic, partition))
    const reached = { own, group, done: done?.offset }
    let state = known.states.find(isHere)
    // Records came while the ends were asked for: the log is shorter only if it is so now.
    if (state && (startOf(state, reached).gap?.from ?? 0) > state.end)
      state = (await this.#ports.topics.states(topic)).find(isHere)
    if (generation !== this.#generation || this.#over.signal.aborted) return
    if (!state) throw new CryptosError('CRY_SERVER_UNREACHABLE', `${topic}/${partition} is not there`)
    const { next, gap } = startOf(state, reached)
    if (gap) this.#options.onGap?.({ topic, partition, ...gap })
    const worker = new PartitionWorker({
      topic,
      partition,
      consume: this.#options,
      next,
      // A log that was made anew begins anew with its group.
      committed: group < 0 || group > state.end ? undefined : group,
      isIll: old?.isIll ?? false,
      // Done there and not committed: it must not wait for the next record.
      stored: next === done?.offset ? done.stored : undefined,
      ports: {
        commit: offset => this.#commits.commit(topic, partition, offset),
        flow: on => this.#flow(topic, partition, on),
        turns: this.#turns,
      },
      clock: this.#ports.clock,
    })
    assigned.worker = worker
    assigned.ended = this.#work(worker, placeOf(topic, partition))
    assigned.isOpen = true
    this.#seek(topic, partition, next)
    this.#flow(topic, partition, true)
  }

  async #work(worker: PartitionWorker, place: string): Promise<void> {
    try {
      await worker.run()
    } catch (error) {
      this.#ended.resolve(error)
    } finally {
      this.#ports.done.set(place, { offset: worker.done, stored: worker.stored })
    }
  }

  async #took(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload
    this.#commits.use(payload.commitOffsetsIfNecessary)
    const topic = this.#ports.clients.ownNameOf(batch.topic) ?? ''
    const assigned = this.#assigned.get(placeOf(topic, batch.partition))
    const worker = assigned?.worker
    if (!assigned?.isOpen || !worker) return
    const first = Number(batch.firstOffset())
    const next = Number(batch.lastOffset()) + 1
    if (next <= worker.next) {
      // Beside it: it waits for the batch in work, and heartbeats must go on.
      this.#reopen(assigned, worker).catch(error => this.#ended.resolve(error))
      return
    }
    if (first > worker.next && !(await this.#passHole(assigned, worker, batch))) return
    worker.push(batch.messages, next, Number(batch.highWatermark))
    payload.resolveOffset(batch.lastOffset())
  }

  /**
   * Offsets may have holes (marks of transactions); a gap is what the log has lost. False where the partition went meanwhile, or
   * where the batch was fetched behind records that we do not have, for whoever had the partition before: kafkajs is sent back.
   */
  async #passHole(assigned: Assigned, worker: PartitionWorker, batch: Batch): Promise<boolean> {
    const generation = this.#generation
    const { topic, partition } = assigned
    const states = await this.#ports.topics.states(topic)
    const begin = states[partition]?.begin ?? 0
    const from = worker.next
    const low = Math.max(from, begin)
    const first = Number(batch.firstOffset())
    // kafkajs passes over what holds nothing for us, and then asks behind it: only the log itself knows what lies between.
    const isHidden = fetchedAt(batch) > low && (await this.#ports.holds(topic, partition, low, first))
    const isOurs = generation === this.#generation && assigned.worker === worker && worker.next === from
    if (!isOurs || this.#over.signal.aborted) return false
    if (isHidden) this.#seek(topic, partition, low)
    else if (begin > from) this.#options.onGap?.({ topic, partition, from, to: Math.min(begin, first) })
    return !isHidden
  }

  /** kafkajs went back to the beginning by itself: the log is shorter than what was read. Judged like a new start. */
  async #reopen(assigned: Assigned, worker: PartitionWorker): Promise<void> {
    assigned.isOpen = false
    this.#flow(assigned.topic, assigned.partition, false)
    worker.finish()
    // Of now: when the group is divided anew meanwhile, this assignment is over.
    const generation = this.#generation
    const states = await this.#ports.topics.states(assigned.topic)
    await this.#open(generation, assigned, { states, committed: [] })
  }

  #flow(topic: string, partition: number, on: boolean): void {
    const places = [{ topic: this.#nameOf(topic), partitions: [partition] }]
    try {
      if (on) this.#consumer.resume(places)
      else this.#consumer.pause(places)
    } catch (error) {
      // Between two lives of the consumer: the next assignment starts anew anyway.
      if (!(error instanceof Error && error.name.startsWith('KafkaJS'))) throw error
    }
  }

  #seek(topic: string, partition: number, offset: number): void {
    this.#consumer.seek({ topic: this.#nameOf(topic), partition, offset: String(offset) })
  }

  #nameOf(topic: string): string {
    return this.#ports.clients.nameOf(topic)
  }
}
