import { subscribe } from 'node:diagnostics_channel'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../../../app/config/load.ts'
import type { StoreName } from '../../../app/config/parts.ts'
import { createLog } from '../../../app/log.ts'
import { openStore, type StoreSink } from '../../../app/open-store.ts'
import { Problems } from '../../../app/pipeline/problems.ts'
import { liveSource } from '../../../app/source.ts'
import { openBroker } from '../../../app/stores.ts'
import { runStores } from '../../../app/storing.ts'
import { systemClock } from '../../../host/clock.ts'
import { keepHeapSmall } from '../../../host/small-heap.ts'
import type { Moved, MoverTask } from './mover.ts'

/** A batch of a group was stored and committed. */
export interface Committed {
  readonly group: string
  readonly topic: string
  readonly partition: number
  readonly end: number
}

export interface OursOptions {
  readonly stores: readonly StoreName[]
  /** Something around the sink, to measure. */
  readonly around?: (sink: StoreSink) => StoreSink
  readonly onCommitted?: (what: Committed) => void
}

/** The product, exactly as `cryptos process --no-judge` runs it: the same set-up, groups, batches, reports. Ends when all is committed. */
export async function ours(task: MoverTask, options: OursOptions): Promise<Moved> {
  keepHeapSmall()
  const dataDir = mkdtempSync(join(tmpdir(), 'cryptos-bench-'))
  const config = loadConfig(environmentOf(task, dataDir))
  const source = liveSource(config)
  const clock = systemClock
  const log = createLog(config.logLevel, [])
  const broker = await openBroker(config, source, clock)
  const stopping = new AbortController()
  const caughtUp = whenCaughtUp(task, options)
  const ports = { config, source, broker, clock, log, onProblem: new Problems(undefined, log).set }
  const around = options.around ?? ((sink: StoreSink) => sink)
  const stores = options.stores.map(name => ({
    name,
    open: async () => around(await openStore(name, { config, source, clock })),
  }))
  const running = runStores(ports, stores, stopping.signal)
  await Promise.race([caughtUp, running])
  const close = async (): Promise<void> => {
    stopping.abort()
    await running
    await broker.close()
    rmSync(dataDir, { recursive: true })
  }
  return { rows: task.ends.reduce((sum, end) => sum + end, 0) * stores.length, close }
}

function environmentOf(task: MoverTask, dataDir: string): Record<string, string> {
  const { influx, cassandra, maxRecords } = task
  return {
    CRYPTOS_PROFILE: 'full',
    CRYPTOS_DATA_DIR: dataDir,
    CRYPTOS_LOG_LEVEL: 'warn',
    CRYPTOS_KAFKA_BROKERS: task.brokers.join(','),
    CRYPTOS_TOPIC_PREFIX: task.topicPrefix,
    CRYPTOS_QUOTES_RETENTION_DAYS: '36500',
    ...(maxRecords === undefined ? {} : { CRYPTOS_BATCH_MAX_RECORDS: String(maxRecords) }),
    ...(influx ? { CRYPTOS_INFLUXDB_URL: influx.url, CRYPTOS_INFLUXDB_DATABASE: influx.database } : {}),
    ...(cassandra
      ? {
          CRYPTOS_CASSANDRA_HOSTS: cassandra.hosts.join(','),
          CRYPTOS_CASSANDRA_DATACENTER: cassandra.datacenter,
          CRYPTOS_CASSANDRA_KEYSPACE: cassandra.keyspace,
        }
      : {}),
  }
}

/** By the steps that the product announces; resolves when every partition is committed to its end for every store. */
function whenCaughtUp(task: MoverTask, { stores, onCommitted }: OursOptions): Promise<void> {
  const open = new Set<string>()
  task.ends.forEach((end, partition) => {
    if (end > 0) for (const store of stores) open.add(`sink.${store} ${partition}`)
  })
  return new Promise(resolve => {
    subscribe('cryptos:step', message => {
      const { step, detail } = message as { readonly step: string; readonly detail: string }
      const [, group = '', topic = '', partition, end] = /^(\S+) (\S+)\/(\d+) (\d+)$/.exec(detail) ?? []
      if (step !== 'committed' || topic !== task.topic) return
      const what = { group, topic, partition: Number(partition), end: Number(end) }
      onCommitted?.(what)
      if (what.end >= (task.ends[what.partition] ?? 0)) open.delete(`${group} ${partition}`)
      if (open.size === 0) resolve()
    })
  })
}
