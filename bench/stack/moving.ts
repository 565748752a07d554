import kafkajs from 'kafkajs'
import type { MoverTask } from './movers/mover.ts'
import { treeCpuMs } from './proc.ts'
import { type MoverRun, runMover } from './run-mover.ts'
import type { BenchServers } from './servers.ts'
import { topicName } from './settings.ts'

/** A filled topic. */
export interface Load {
  readonly prefix: string
  readonly ends: readonly number[]
  readonly rows: number
  readonly priceSum: number
  readonly meanBytes: number
}

/** What a run cost: the mover, its store, the broker. */
export interface MovedRun extends MoverRun {
  readonly storeCpuMs: number
  readonly brokerCpuMs: number
  readonly rowsPerSecond: number
}

/** One run of a mover into an empty store. */
export interface Move {
  readonly mover: string
  readonly group: string
  /** Batch of the product, where it is not its own default. */
  readonly maxRecords?: number
  readonly sliceRows: number
  readonly store: Pick<MoverTask, 'influx' | 'cassandra'>
  readonly storePid: number
  /** Counts the rows back and adds their prices. */
  readonly count: () => Promise<{ readonly rows: number; readonly priceSum: number }>
}

/** @throws Error where rows, their prices or the committed offsets are not those of the topic */
export async function move(servers: BenchServers, load: Load, what: Move): Promise<MovedRun> {
  await forgetGroup(servers, load, what.group)
  const before = { store: treeCpuMs(what.storePid), broker: treeCpuMs(servers.kafka.pid) }
  const run = await runMover(what.mover, {
    ...{ brokers: servers.kafka.brokers, topicPrefix: load.prefix, topic: topicName, group: what.group },
    ...{ ends: load.ends, sliceRows: what.sliceRows, ...what.store },
    ...(what.maxRecords === undefined ? {} : { maxRecords: what.maxRecords }),
  })
  const after = { store: treeCpuMs(what.storePid), broker: treeCpuMs(servers.kafka.pid) }
  const found = await what.count()
  const committed = await committedOf(servers, `${load.prefix}${what.group}`, `${load.prefix}${topicName}`)
  const wrong = [
    found.rows === load.rows ? '' : `${found.rows} rows of ${load.rows} are in the store`,
    Math.abs(found.priceSum / load.priceSum - 1) < 1e-9
      ? ''
      : `prices add up to ${found.priceSum}, not ${load.priceSum}`,
    committed === load.rows ? '' : `${committed} offsets of ${load.rows} are committed`,
  ].filter(Boolean)
  if (wrong.length > 0) throw new Error(`${what.mover}: ${wrong.join('; ')}`)
  return {
    ...run,
    storeCpuMs: after.store - before.store,
    brokerCpuMs: after.broker - before.broker,
    rowsPerSecond: load.rows / (run.wallMs / 1_000),
  }
}

async function asAdmin<T>(servers: BenchServers, work: (admin: kafkajs.Admin) => Promise<T>): Promise<T> {
  const kafka = new kafkajs.Kafka({ brokers: [...servers.kafka.brokers], logLevel: kafkajs.logLevel.ERROR })
  const admin = kafka.admin()
  await admin.connect()
  try {
    return await work(admin)
  } finally {
    await admin.disconnect()
  }
}

/** The product's group has one name: each run begins without what the run before has committed. */
export const forgetGroup = (servers: BenchServers, load: Load, group: string): Promise<void> =>
  asAdmin(servers, async admin => {
    const groupId = `${load.prefix}${group}`
    const { groups } = await admin.listGroups()
    if (groups.some(g => g.groupId === groupId)) await admin.deleteGroups([groupId])
  })

const committedOf = (servers: BenchServers, groupId: string, topic: string): Promise<number> =>
  asAdmin(servers, async admin => {
    const [found] = await admin.fetchOffsets({ groupId, topics: [topic] })
    return found?.partitions.reduce((sum, p) => sum + Math.max(0, Number(p.offset)), 0) ?? 0
  })

export const progress = (name: string, at: number, r: MovedRun): string =>
  `${at === 0 ? 'warm-up' : `round ${at}`} ${name}: ${Math.round(r.rowsPerSecond)} rows/s, CPU ${Math.round(r.cpuMs)} ms (start ${Math.round(r.startCpuMs)}), store ${r.storeCpuMs}, broker ${r.brokerCpuMs}, RSS ${Math.round(r.rssPeakMb)} MB`
