import type { Clock } from '../../../core/ports/clock.ts'
import type { KafkaAdmin } from './admin.ts'
import type { Done } from './assigned.ts'
import type { KafkaClients } from './client.ts'
import type { KafkaTopics } from './topics.ts'

/** What a member of a group needs of what it lives in. */
export interface MemberPorts {
  readonly clients: KafkaClients
  readonly admin: KafkaAdmin
  readonly topics: KafkaTopics
  readonly clock: Clock
  /** The servers do not answer; told again and again. */
  readonly onReadFailed: (error: unknown) => void
  /** They answered. */
  readonly onReadWorks: () => void
  /** Whether the log holds a record from one offset on and before another. */
  readonly holds: (topic: string, partition: number, from: number, to: number) => Promise<boolean>
  /** How far the subscription came in each partition, over the lives of its members. */
  readonly done: Map<string, Done>
}
