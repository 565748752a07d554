import type { Broker, ConsumeOptions, ReplayFrom, StoredMessage } from '../core/ports/broker.ts'
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
  const starts = new Map<number, number>()
  for (const { partition, offset, topic: of } of await broker.committed(group)) {
    if (of !== topic || offset === 0) continue
    const last = await firstOf(broker, topic, { offset: offset - 1, partition })
    if (last === undefined) continue
    const first = await firstOf(broker, topic, { time: addMs(last.timestamp, -rewindMs), partition })
    starts.set(partition, first?.offset ?? offset)
  }
  return async (_, partition) => starts.get(partition)
}

async function firstOf(broker: Broker, topic: string, from: ReplayFrom): Promise<StoredMessage | undefined> {
  for await (const message of broker.read(topic, from)) return message
  return undefined
}
