import { setTimeout as sleep } from 'node:timers/promises'
import type { Broker, TopicMessage } from '../../core/ports/broker.ts'
import { systemClock } from '../../host/clock.ts'
import { openKafkaBroker } from '../../topics/brokers/kafka.ts'
import { quoteKey, quoteMessage } from '../../topics/messages.ts'
import { partitionOf } from '../../topics/partition.ts'
import { topicTable } from '../../topics/table.ts'
import { type BenchLine, round } from '../line.ts'
import { CassandraStore, makeTables } from './cassandra-store.ts'
import { quoteOf } from './data.ts'
import { InfluxStore } from './influx-store.ts'
import { warmUpMs } from './movers/fresh.ts'
import type { MoverTask } from './movers/mover.ts'
import { runMover } from './run-mover.ts'
import type { BenchServers } from './servers.ts'
import { partitions, stackSettings, topicName } from './settings.ts'

const barMs = 1_000
const rowsPerSecond = 1_000
/** A row waits for the next tick, which is counted; the servers share the machine with the generator. */
const tickMs = 50

interface Ages {
  readonly rows: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}
interface Subject {
  readonly name: 'influx' | 'cassandra'
  readonly store: Pick<MoverTask, 'influx' | 'cassandra'>
  readonly count: () => Promise<{ readonly rows: number }>
  readonly drop: () => Promise<void>
}

/** [freshness-p99]: 1,000 rows/s in an open loop, each produced by the clock whether or not those before are stored. */
export async function benchFreshness(servers: BenchServers): Promise<BenchLine[]> {
  const subjects = [await influxSubject(servers), await cassandraSubject(servers)]
  const found: Ages[] = []
  try {
    for (const subject of subjects) {
      // A server that has just started compiles first: dropped, as every first round.
      await agesOf(servers, subject, 'warm')
      found.push(await agesOf(servers, subject, 'counted'))
    }
  } finally {
    for (const subject of subjects) await subject.drop()
  }
  const worst = Math.max(...found.map(f => f.p99))
  const told = found.map(
    (f, i) => `${subjects[i]?.name} p50 ${round(f.p50)}, p99 ${round(f.p99)}, max ${round(f.max)} ms`,
  )
  const note = `${told.join('; ')}; ${found[0]?.rows} rows each at ${rowsPerSecond}/s, from due to stored and committed`
  return [{ name: 'freshness-p99', value: round(worst), unit: 'ms', bar: barMs, ok: worst <= barMs, note }]
}

async function influxSubject(servers: BenchServers): Promise<Subject> {
  const store = new InfluxStore(servers.influxdb.url)
  const database = `bench_${process.pid}_fresh`
  await store.create(database)
  return {
    name: 'influx',
    store: { influx: { url: store.url, database } },
    count: () => store.count(database),
    drop: () => store.drop(database),
  }
}

async function cassandraSubject(servers: BenchServers): Promise<Subject> {
  const store = await CassandraStore.open(servers.cassandra, `bench_${process.pid}_fresh`)
  await makeTables(store.place)
  const count = () => store.count('price_double')
  return { name: 'cassandra', store: { cassandra: store.place }, count, drop: () => store.drop() }
}

async function agesOf(
  servers: BenchServers,
  { name, store, count }: Subject,
  run: 'warm' | 'counted',
): Promise<Ages> {
  const rows = (warmUpMs / 1_000 + stackSettings.freshnessSeconds) * rowsPerSecond
  const topicPrefix = `bench-${process.pid}-fresh-${name}-${run}.`
  const { brokers } = servers.kafka
  const clock = systemClock
  const broker = await openKafkaBroker({ brokers, topicPrefix, replication: 1, minInsyncReplicas: 1, clock })
  try {
    await broker.createTopics([topicTable().quotes])
    const ends = Array.from({ length: partitions }, () => 0)
    for (let row = 0; row < rows; row += 1) {
      const partition = partitionOf(quoteKey(quoteOf(row, 1)), partitions)
      ends[partition] = (ends[partition] ?? 0) + 1
    }
    const task = { brokers, topicPrefix, topic: topicName, group: '', ends, sliceRows: 0 }
    const { rows: before } = await count()
    const [moved] = await Promise.all([
      runMover(`fresh-${name}`, { ...task, ...store }),
      produceByTheClock(broker, rows),
    ])
    const stored = (await count()).rows - before
    if (stored !== rows) throw new Error(`fresh-${name}: ${stored} rows of ${rows} are in the store`)
    return moved.more as unknown as Ages
  } finally {
    await broker.close()
  }
}

/** Nothing is waited for but the clock; a row that goes out late is as old as if it had not. */
async function produceByTheClock(broker: Broker, rows: number): Promise<void> {
  const startedAtMs = Date.now()
  const sent: Promise<void>[] = []
  for (let row = 0; row < rows; ) {
    const due: TopicMessage[] = []
    for (; row < rows && startedAtMs + (row / rowsPerSecond) * 1_000 <= Date.now(); row += 1) {
      const at = startedAtMs * 1_000 + (row / rowsPerSecond) * 1_000_000
      due.push(quoteMessage(topicName, quoteOf(row, 1_000 + (row % 997), at)))
    }
    if (due.length > 0) sent.push(broker.produce(due))
    await sleep(tickMs)
  }
  await Promise.all(sent)
}
