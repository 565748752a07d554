import type { Consumer } from 'kafkajs'
import type { BatchLimits, ConsumeOptions } from '../../../core/ports/broker.ts'
import { SECOND } from '../../../core/time.ts'
import type { KafkaClients } from './client.ts'

const KIB = 1_024
const MIB = 1_024 * KIB
const longestWaitMs = 500
/** How long a group waits for a sign of a member. */
export const sessionTimeoutMs = 10 * SECOND

/** How long the servers may collect for one answer: a part of the age that a batch may have. */
const fetchWaitMs = (maxAgeMs: number): number =>
  maxAgeMs === 0 ? longestWaitMs / 2 : Math.min(longestWaitMs, Math.ceil(maxAgeMs / 4))

/** A kafkajs consumer that fetches for batches of these limits; what it holds is bounded. */
export function newConsumer(clients: KafkaClients, { group, limits }: ConsumeOptions): Consumer {
  return clients.consumer({
    groupId: clients.nameOf(group),
    sessionTimeout: sessionTimeoutMs,
    heartbeatInterval: 2 * SECOND,
    rebalanceTimeout: sessionTimeoutMs,
    maxBytesPerPartition: 512 * KIB,
    maxBytes: 5 * MIB,
    minBytes: limits.maxAgeMs === 0 ? 1 : Math.min(64 * KIB, Math.max(1, limits.maxBytes)),
    maxWaitTimeInMs: fetchWaitMs(limits.maxAgeMs),
    // kafkajs may restart one consumer more than once at a time: two members then share its partitions, and one is not heard of.
    retry: { retries: 3, restartOnFailure: async () => false },
  })
}

/** The limits without the time that the servers' collecting takes. */
export function limitsAfterFetch(limits: BatchLimits): BatchLimits {
  const { maxAgeMs } = limits
  return maxAgeMs === 0 ? limits : { ...limits, maxAgeMs: maxAgeMs - fetchWaitMs(maxAgeMs) }
}
