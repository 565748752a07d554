import type { EpochMicros } from '../core/brands.ts'
import type { Broker, ConsumeOptions } from '../core/ports/broker.ts'
import { addMs } from '../core/time.ts'

type Place = { readonly topic: string; readonly group: string }

/**
 * Where a group starts that goes back by so long before the newest record that it has committed, partition by partition. A partition
 * without a commit starts as ever. @throws CryptosError CRY_RECORD_INVALID for an unknown topic
 */
export async function rewound(
  broker: Broker,
  { topic, group }: Place,
  rewindMs: number,
): Promise<NonNullable<ConsumeOptions['startAt']>> {
  const from = await startTimes(broker, { topic, group }, rewindMs)
  const starts = new Map<number, number>()
  const earliest = [...from.values()].sort((a, b) => a - b)[0]
  if (earliest !== undefined)
    for await (const { partition, offset, timestamp } of broker.read(topic, { time: earliest })) {
      const since = from.get(partition)
      if (since !== undefined && timestamp >= since && !starts.has(partition)) starts.set(partition, offset)
      if (starts.size === from.size) break
    }
  return async (_, partition) => starts.get(partition)
}

/** By partition: so long before the record behind which the group stands. */
async function startTimes(
  broker: Broker,
  { topic, group }: Place,
  rewindMs: number,
): Promise<Map<number, EpochMicros>> {
  const committed = (await broker.committed(group)).filter(c => c.topic === topic && c.offset > 0)
  const last = new Map(committed.map(c => [c.partition, c.offset - 1]))
  const from = new Map<number, EpochMicros>()
  const offset = Math.min(...last.values())
  if (last.size > 0)
    for await (const message of broker.read(topic, { offset })) {
      if (last.get(message.partition) === message.offset)
        from.set(message.partition, addMs(message.timestamp, -rewindMs))
      if (from.size === last.size) break
    }
  return from
}
