import type { TopicMessage } from '../../../core/ports/broker.ts'
import { partitionOf } from '../../../topics/partition.ts'
import { makeWork } from '../data.ts'
import { partitions } from '../settings.ts'
import type { Moved } from './mover.ts'

const recordsPerPartition = 500

/** Calls of so many records for each partition, ready made. */
function callsOf(rows: number): readonly TopicMessage[][] {
  const waiting = Array.from({ length: partitions }, (): TopicMessage[] => [])
  for (const message of makeWork(rows).messages) waiting[partitionOf(message.key, partitions)]?.push(message)
  const calls = Math.floor(Math.min(...waiting.map(w => w.length)) / recordsPerPartition)
  return Array.from({ length: calls }, (_, i) =>
    waiting.flatMap(w => w.slice(i * recordsPerPartition, (i + 1) * recordsPerPartition)),
  )
}

/** Sends the calls one after the other; the first tenth warms up. */
export async function publish(
  rows: number,
  send: (messages: readonly TopicMessage[]) => Promise<unknown>,
  close: () => Promise<void>,
): Promise<Moved> {
  const calls = callsOf(rows)
  const warm = Math.ceil(calls.length / 10)
  let startedAt = performance.now()
  let before = process.cpuUsage()
  for (const [i, call] of calls.entries()) {
    if (i === warm) {
      startedAt = performance.now()
      before = process.cpuUsage()
    }
    await send(call)
  }
  const { user, system } = process.cpuUsage(before)
  const counted = (calls.length - warm) * recordsPerPartition * partitions
  const rowsPerSecond = counted / ((performance.now() - startedAt) / 1_000)
  return {
    rows: calls.length * recordsPerPartition * partitions,
    more: { rowsPerSecond, cpuSecondsPerMillion: (user + system) / counted },
    close,
  }
}
