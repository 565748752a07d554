import { setTimeout as sleep } from 'node:timers/promises'
import type { Broker, ConsumeOptions, PartitionState, StoredMessage } from '../../../core/ports/broker.ts'
import { systemClock } from '../../../host/clock.ts'
import { message, textOf } from '../../harness.contract.ts'
import { realUntil } from './real.contract.ts'

/** Numbered records, produced until told to stop; a rejected batch is produced again, as a publisher does. */
export class Traffic {
  /** Ids whose produce() resolved. */
  readonly acknowledged = new Set<string>()
  rejected = 0
  longestMs = 0
  readonly #end = new AbortController()
  readonly #done: Promise<void>
  constructor(
    broker: Broker,
    topic: string,
    options: { readonly batch?: number; readonly pauseMs?: number } = {},
  ) {
    this.#done = this.#run(broker, topic, options.batch ?? 40, options.pauseMs ?? 20)
  }

  async stop(): Promise<void> {
    this.#end.abort()
    await this.#done
  }

  async #run(broker: Broker, topic: string, batch: number, pauseMs: number): Promise<void> {
    for (let next = 0; !this.#end.signal.aborted; next += batch) {
      const ids = Array.from({ length: batch }, (_, i) => String(next + i))
      const records = ids.map(id => message(`key-${id}`, id, { topic, timestamp: systemClock.now() }))
      const beganMs = systemClock.monotonicMs()
      while (!(await this.#produced(broker, records))) this.rejected += 1
      this.longestMs = Math.max(this.longestMs, systemClock.monotonicMs() - beganMs)
      for (const id of ids) this.acknowledged.add(id)
      await sleep(pauseMs)
    }
  }

  async #produced(broker: Broker, records: Parameters<Broker['produce']>[0]): Promise<boolean> {
    try {
      await broker.produce(records)
      return true
    } catch {
      return false
    }
  }
}

/** What some subscriptions were given, by partition and offset. */
export class Reading {
  readonly ids = new Set<string>()
  delivered = 0
  errors = 0
  recovered = 0
  readonly gaps: unknown[] = []
  readonly #offsets = new Map<number, Set<number>>()
  readonly #newest = new Map<number, number>()
  /** Records that came before one that lies in front of them and had not come yet. */
  overtaken = 0

  take(messages: readonly StoredMessage[]): void {
    for (const { partition, offset, value } of messages) {
      this.delivered += 1
      this.ids.add(textOf(value) ?? '')
      const seen = this.#offsets.get(partition) ?? new Set()
      const newest = this.#newest.get(partition) ?? -1
      if (offset > newest + 1) this.overtaken += 1
      this.#newest.set(partition, Math.max(newest, offset))
      this.#offsets.set(partition, seen.add(offset))
    }
  }

  get distinct(): number {
    return [...this.#offsets.values()].reduce((sum, set) => sum + set.size, 0)
  }

  /** Where records are missing: behind the newest that came (it stands still), or in front of it (it was passed over). */
  #missing({ partition, begin, end }: PartitionState): string {
    const seen = this.#offsets.get(partition)
    const offsets = Array.from({ length: end - begin }, (_, i) => begin + i).filter(o => !seen?.has(o))
    if (offsets.length === 0) return ''
    const newest = this.#newest.get(partition) ?? -1
    return `partition ${partition}: ${offsets.length} from ${offsets[0]} to ${offsets.at(-1)}, newest seen ${newest}, end ${end}`
  }

  /** How many partitions something came from. */
  get partitions(): number {
    return this.#offsets.size
  }

  subscribe(broker: Broker, topic: string, more: Partial<ConsumeOptions> = {}) {
    const end = new AbortController()
    const done = broker.consume({
      group: 'readers',
      topics: [topic],
      limits: { maxRecords: 50, maxBytes: 100_000, maxAgeMs: 50 },
      signal: end.signal,
      onBatch: async batch => this.take(batch.messages),
      onError: () => {
        this.errors += 1
      },
      onRecovered: () => {
        this.recovered += 1
      },
      onGap: gap => void this.gaps.push(gap),
      ...more,
    })
    const stop = async (): Promise<void> => {
      end.abort()
      await done
    }
    return { done, stop }
  }

  /** Every record of the log was given, and every acknowledged id is among them. Returns how long that took. */
  async hasAll(broker: Broker, topic: string, traffic: Traffic, limitMs = 30_000): Promise<number> {
    const beganMs = systemClock.monotonicMs()
    const states = await broker.partitions(topic)
    const stored = states.reduce((sum, s) => sum + s.end - s.begin, 0)
    await realUntil(() => this.distinct >= stored, `all ${stored} records`, limitMs).catch((error: Error) => {
      const missing = states.map(s => this.#missing(s)).filter(text => text !== '')
      throw new Error(
        `${error.message}, but ${this.distinct}; missing ${missing.join('; ')}; ${this.errors} errors`,
      )
    })
    const lost = [...traffic.acknowledged].filter(id => !this.ids.has(id))
    if (lost.length > 0)
      throw new Error(`${lost.length} acknowledged ids are not in the log: ${lost.slice(0, 5)}`)
    return systemClock.monotonicMs() - beganMs
  }
}
