import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import cassandraDriver from 'cassandra-driver'
import { type Config, loadConfig } from '../../../app/config/load.ts'
import type { StoreName } from '../../../app/config/parts.ts'
import { openStore, openStoreReader } from '../../../app/open-store.ts'
import { type Source, sandboxSource } from '../../../app/source.ts'
import { openBroker, topics } from '../../../app/stores.ts'
import { AssetId, EpochMicros } from '../../../core/brands.ts'
import { classify, toCryptosError } from '../../../core/errors.ts'
import type { Broker } from '../../../core/ports/broker.ts'
import type { Quote } from '../../../core/records.ts'
import { systemClock } from '../../../host/clock.ts'
import { quote } from '../../../processors/sink.contract.ts'
import { quoteMessage } from '../../../topics/messages.ts'
import { type Env, type Running, startCryptos } from '../../support/program.ts'
import { scratch } from '../../support/scratch.ts'
import { yesterdayNoon } from '../../support/yesterday.ts'
import { stackServers } from '../servers.ts'

export const servedStores = ['cassandra', 'influxdb'] as const satisfies readonly StoreName[]

/** One installation on the shared servers, under names that no other test has, and what a test does with it. */
export interface World extends AsyncDisposable {
  readonly env: Env
  readonly config: Config
  readonly source: Source
  readonly folder: string
  readonly broker: Broker
  /** Quotes number `from` to `from + count - 1`, acknowledged when it resolves. */
  produce(from: number, count: number): Promise<void>
  /** `cryptos process` with these arguments; say its end with a signal. */
  process(args?: readonly string[], env?: Env): Running
  rows(store: StoreName): Promise<readonly Quote[]>
  /** Resolves when the store has so many rows. @throws Error with what was seen when it takes longer than `limitMs` */
  holds(store: StoreName, count: number, limitMs?: number): Promise<void>
}

const start = yesterdayNoon
const seriesCount = 40

/** A price a second of each of 40 series; the same number is the same quote, with digits of its own. */
export const numbered = (n: number): Quote =>
  quote({
    asset: AssetId(`test:${n % seriesCount}`),
    price: `${1_000 + (n % 977)}.${String(n).padStart(8, '0')}0` as Quote['price'],
    observedAt: EpochMicros(start + Math.floor(n / seriesCount) * 1_000_000),
    receivedAt: EpochMicros(start + n),
    rawRef: `kraken/quotes/${n}#1`,
  })

/** Settings of a full installation whose names on the servers begin with `name`. */
export function fullEnv(name: string, folder: string): Record<string, string> {
  const { kafka, cassandra, influxdb, postgres } = stackServers()
  const url = new URL(postgres.url)
  const password = decodeURIComponent(url.password)
  url.password = ''
  return {
    CRYPTOS_DATA_DIR: folder,
    CRYPTOS_SOURCE: 'sandbox',
    CRYPTOS_PROFILE: 'full',
    CRYPTOS_KAFKA_BROKERS: kafka.brokers.join(','),
    CRYPTOS_TOPIC_PREFIX: `${name}.`,
    CRYPTOS_CASSANDRA_HOSTS: `${cassandra.host}:${cassandra.port}`,
    CRYPTOS_CASSANDRA_DATACENTER: cassandra.datacenter,
    CRYPTOS_CASSANDRA_KEYSPACE: name,
    CRYPTOS_INFLUXDB_URL: influxdb.url,
    CRYPTOS_INFLUXDB_DATABASE: name,
    CRYPTOS_POSTGRES_URL: url.href,
    ...(password === '' ? {} : { CRYPTOS_POSTGRES_PASSWORD: password }),
    CRYPTOS_POSTGRES_SCHEMA: name,
  }
}

export async function openWorld(purpose: string, more: Env = {}): Promise<World> {
  const folder = scratch(purpose)
  const name = `t${randomBytes(5).toString('hex')}`
  const env = { ...fullEnv(name, folder.file('data')), ...more }
  const config = loadConfig(env)
  const source = sandboxSource(config, '')
  const place = { config, source, clock: systemClock }
  const broker = await openBroker(config, source, systemClock)
  // Readers find their tables, however soon they look.
  for (const store of servedStores) await (await openStore(store, place)).close()
  const started: Running[] = []
  const rows = async (store: StoreName): Promise<readonly Quote[]> => {
    const reader = await openStoreReader(store, place)
    try {
      return await Array.fromAsync(reader.rows({ from: EpochMicros(0), to: EpochMicros(9e15) }))
    } finally {
      await reader.close()
    }
  }
  return {
    ...{ env, config, source, broker, rows, folder: folder.path },
    produce: async (from, count) => {
      const all = Array.from({ length: count }, (_, i) => numbered(from + i))
      await broker.produce(all.map(q => quoteMessage(topics.quotes.name, q)))
    },
    process: (args = ['--no-judge'], own = {}) => {
      const running = startCryptos(['process', ...args], { ...env, ...own })
      started.push(running)
      return running
    },
    holds: async (store, count, limitMs = 60_000) => {
      const until = performance.now() + limitMs
      let seen: number | string = 'no'
      while (performance.now() < until) {
        seen = await rows(store).then(
          found => found.length,
          (error: unknown) => toldOf(error),
        )
        if (seen === count) return
        await sleep(300)
      }
      throw new Error(`${store} holds ${seen} rows after ${limitMs} ms, not ${count}`)
    },
    [Symbol.asyncDispose]: async () => {
      for (const { child } of started) if (child.exitCode === null) child.kill('SIGKILL')
      await Promise.all(started.map(running => running.ended))
      await broker.close()
      await dropAll(config.cassandraKeyspace, config.influxDatabase)
      folder[Symbol.dispose]()
    },
  }
}

/** Each keyspace makes the next start of Cassandra longer. A server that is down keeps its own. */
async function dropAll(keyspace: string, database: string): Promise<void> {
  const { cassandra, influxdb } = stackServers()
  const contactPoints = [`${cassandra.host}:${cassandra.port}`]
  const client = new cassandraDriver.Client({ contactPoints, localDataCenter: cassandra.datacenter })
  const drops = [
    client.execute(`DROP KEYSPACE IF EXISTS ${keyspace}_sandbox`, [], { readTimeout: 60_000 }),
    fetch(`${influxdb.url}/query`, {
      method: 'POST',
      body: new URLSearchParams({ q: `DROP DATABASE ${database}_sandbox` }),
    }),
  ]
  await Promise.allSettled(drops)
  await client.shutdown()
}

/** What two stores must agree on: every field of every row, but who wrote it when. */
export function hashOf(rows: readonly Quote[], leaveOut: readonly (keyof Quote)[] = []): string {
  const lines = rows.map(row => {
    const fields = Object.entries(row).filter(([name]) => !leaveOut.includes(name as keyof Quote))
    return JSON.stringify(fields.toSorted(([a], [b]) => (a < b ? -1 : 1)))
  })
  return createHash('sha256').update(lines.toSorted().join('\n')).digest('hex')
}

/** The hash of the first `count` numbered quotes. */
export const expectedHash = (count: number): string =>
  hashOf(Array.from({ length: count }, (_, n) => numbered(n)))

/** A server that was just started again may answer late. @throws the error where waiting does not mend it */
function toldOf(error: unknown): string {
  if (classify(error) === 'stop') throw error
  return `(${toCryptosError(error).message})`
}

/** Sends the signal and waits for the end. */
export async function end(running: Running, signal: NodeJS.Signals = 'SIGTERM') {
  running.child.kill(signal)
  return await running.ended
}

export const spoolOf = (folder: string): string => join(folder, 'data', 'sandbox', 'spool')
