import { accessSync, constants, existsSync, mkdirSync, realpathSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { CryptosError } from '../core/errors.ts'
import type { Broker } from '../core/ports/broker.ts'
import type { Clock } from '../core/ports/clock.ts'
import type { Ledger } from '../core/ports/ledger.ts'
import { DAY } from '../core/time.ts'
import { openSqliteLedger } from '../quota/ledgers/sqlite.ts'
import { openEmbeddedBroker } from '../topics/brokers/embedded.ts'
import { marketTopics } from '../topics/messages.ts'
import { type TopicId, topicTable, usedTopics } from '../topics/table.ts'
import type { Config } from './config/load.ts'
import { partsOf } from './config/parts.ts'
import type { Source } from './source.ts'

/** The files of one source's folder. */
export const storeFiles = (folder: string) => ({
  ledger: join(folder, 'ledger.db'),
  log: join(folder, 'log.db'),
  series: join(folder, 'series.db'),
})

/** Names of the consumer group and topics in use. */
export const topics = topicTable()
/** Each store has groups of its own, one for each topic: consumers of one group must take the same topics where the broker is a server. */
export const groupOf = (topic: TopicId, store = 'sqlite'): string =>
  topic === 'quotes' ? `sink.${store}` : `sink.${store}.${topic}`

/** What keeps one from writing at the nearest folder that is there: a failed mkdir says ENOENT for a read-only disk. */
function reasonAt(folder: string): string | undefined {
  const nearest = existsSync(folder) || dirname(folder) === folder ? folder : undefined
  if (nearest === undefined) return reasonAt(dirname(folder))
  try {
    accessSync(nearest, constants.W_OK | constants.X_OK)
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code
  }
}

/** Kernel file systems: nothing can be kept there, and Node's recursive mkdir below /proc never comes back. */
const kernelFolder = /^\/(?:proc|sys|dev(?!\/shm\/))(?:\/|$)/

/** The nearest folder that is there, without links on the way: what a new folder would really lie in. */
function nearestReal(folder: string): string {
  if (existsSync(folder) || dirname(folder) === folder) return realpathSync(folder)
  return nearestReal(dirname(folder))
}

function refuseKernelFolder(folder: string): void {
  const whole = resolve(folder)
  if (existsSync(whole) && !kernelFolder.test(whole)) return
  if (![whole, nearestReal(whole)].some(path => kernelFolder.test(path))) return
  throw new CryptosError(
    'CRY_STORE_UNWRITABLE',
    `the data folder ${folder} lies in a file system of the kernel, which keeps nothing: set CRYPTOS_DATA_DIR to a folder on a disk`,
  )
}

/** Makes the folder, private to the user. @throws CryptosError CRY_STORE_UNWRITABLE */
export function prepareFolder(folder: string): void {
  refuseKernelFolder(folder)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    accessSync(folder, constants.W_OK | constants.X_OK)
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown'
    const why = code === 'ENOENT' ? (reasonAt(resolve(folder)) ?? code) : code
    throw new CryptosError(
      'CRY_STORE_UNWRITABLE',
      `the data folder ${folder} can not be written (${why}): correct its permissions or set CRYPTOS_DATA_DIR`,
      { cause },
    )
  }
}

/** @throws CryptosError CRY_STORE_*, CRY_DISK_FULL; of a server CRY_SERVER_* and CRY_LEDGER_UNAVAILABLE */
export async function openLedger(config: Config, source: Source, clock: Clock): Promise<Ledger> {
  prepareFolder(source.folder)
  const { outboxMaxBytes } = config
  if (partsOf(config).ledger === 'sqlite')
    return await openSqliteLedger({ file: storeFiles(source.folder).ledger, clock, outboxMaxBytes })
  const { openPostgresLedger } = await import('../quota/ledgers/postgres.ts')
  const { postgresOptions } = await import('./servers.ts')
  return await openPostgresLedger({
    ...postgresOptions(config, source, clock),
    spoolFolder: join(source.folder, 'spool'),
    outboxMaxBytes,
    // A server knows nothing of a simulation's clock.
    ...(config.sandboxClockFile === undefined ? {} : { time: 'clock' }),
  })
}

async function openLog(config: Config, source: Source, clock: Clock): Promise<Broker> {
  if (partsOf(config).broker === 'embedded')
    return await openEmbeddedBroker({ file: storeFiles(source.folder).log, clock })
  const { openKafkaBroker } = await import('../topics/brokers/kafka.ts')
  const { kafkaOptions } = await import('./servers.ts')
  return await openKafkaBroker(kafkaOptions(config, source))
}

/** The log with its topics made. @throws CryptosError CRY_STORE_*, CRY_DISK_FULL; of a server CRY_SERVER_* */
export async function openBroker(config: Config, source: Source, clock: Clock): Promise<Broker> {
  prepareFolder(source.folder)
  const broker = await openLog(config, source, clock)
  const market = ['quotes' as const, ...marketTopics].map(id => topics[id].name)
  const specs = usedTopics(topics).map(t =>
    market.includes(t.name) ? { ...t, retentionMs: config.quotesRetentionDays * DAY } : t,
  )
  try {
    await broker.createTopics(specs)
    return broker
  } catch (error) {
    await broker.close()
    throw error
  }
}
