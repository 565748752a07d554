import type { EpochMicros } from '../../core/brands.ts'
import type { Broker } from '../../core/ports/broker.ts'
import { addMs, HOUR } from '../../core/time.ts'
import type { TopicTable } from '../../topics/table.ts'
import { type Input, readInput } from './input.ts'

/** So much of the topics is enough to know the rhythm of a series, a day and a margin. */
export const memoryMs = 26 * HOUR
const minuteMicros = 60_000_000

export interface PastItem {
  readonly input: Input
  /** Not committed yet: what the judge says of it is still to be published. */
  readonly isBacklog: boolean
}

export interface Past {
  /** In the order of their arrival over all partitions: how the sources stood to each other matters. */
  readonly items: readonly PastItem[]
  readonly backlog: number
  /** Where the subscription goes on, by `topic|partition`. */
  readonly next: ReadonlyMap<string, number>
}

export interface RebuildOptions {
  readonly broker: Broker
  readonly group: string
  readonly topics: Pick<TopicTable, 'quotes' | 'sourceEvents'>
  readonly now: EpochMicros
  readonly signal: AbortSignal
}

/**
 * What a judge that starts must know: the last 26 hours. Of what was judged before, one value of a series a minute is enough; what was
 * not is kept whole. Bytes that are no record are passed over here: those not committed are read again by nobody but the sinks, which
 * bury them.
 */
export async function rebuild(options: RebuildOptions): Promise<Past> {
  const { broker, group, topics, now, signal } = options
  const committed = new Map((await broker.committed(group)).map(c => [`${c.topic}|${c.partition}`, c.offset]))
  const next = new Map<string, number>()
  const thinned = new Map<string, PastItem>()
  const backlog: PastItem[] = []
  for (const topic of [topics.quotes.name, topics.sourceEvents.name]) {
    for (const { partition, end } of await broker.partitions(topic)) next.set(`${topic}|${partition}`, end)
    for await (const message of broker.read(topic, { time: addMs(now, -memoryMs) })) {
      if (signal.aborted) break
      const place = `${topic}|${message.partition}`
      next.set(place, Math.max(next.get(place) ?? 0, message.offset + 1))
      const read = readInput(message, topics)
      if (!read.ok || !read.record) continue
      if (message.offset >= (committed.get(place) ?? 0)) backlog.push({ input: read.record, isBacklog: true })
      else thinned.set(minuteKey(read.record), { input: read.record, isBacklog: false })
    }
  }
  const items = [...thinned.values(), ...backlog].sort((a, b) => a.input.receivedAt - b.input.receivedAt)
  return { items, backlog: backlog.length, next }
}

const minuteKey = (r: Input): string =>
  `${r.kind}|${r.origin}|${r.provider}|${r.asset}|${r.currency}|${Math.floor(r.receivedAt / minuteMicros)}`
