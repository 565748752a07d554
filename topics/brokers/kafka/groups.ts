import type { KafkaAdmin } from './admin.ts'
import type { KafkaClients } from './client.ts'

export interface CommittedOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** The offsets of a group, in the topics with our prefix. Below 0 Kafka means: none, or "the beginning". */
export async function committedOf(
  admin: KafkaAdmin,
  clients: KafkaClients,
  group: string,
): Promise<readonly CommittedOffset[]> {
  const groupId = clients.nameOf(group)
  const found = await admin.run(`offsets of group ${groupId}`, a => a.fetchOffsets({ groupId }))
  return found.flatMap(({ topic: name, partitions }) => {
    const topic = clients.ownNameOf(name)
    if (topic === undefined) return []
    return partitions
      .map(({ partition, offset }) => ({ topic, partition, offset: Number(offset) }))
      .filter(c => c.offset >= 0)
  })
}
