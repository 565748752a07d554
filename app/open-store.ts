import type { Clock } from '../core/ports/clock.ts'
import type { KeyReader, MarketReader, QuoteReader } from '../core/ports/reader.ts'
import type { MarketSink, QuoteSink, RecordSink } from '../core/ports/sink.ts'
import type { QuotaEvent } from '../core/records.ts'
import { openSqliteSink } from '../processors/sinks/sqlite/sink.ts'
import type { Config } from './config/load.ts'
import type { StoreName } from './config/parts.ts'
import { openReader } from './reader.ts'
import type { Source } from './source.ts'
import { prepareFolder, storeFiles } from './stores.ts'

/** One store: the quotes, the records beside them, and the quota's events where it keeps those. */
export type StoreSink = QuoteSink & {
  readonly market: MarketSink
  /** So many records of a batch cost it least, where the usual number does not. */
  readonly batchRecords?: number
  readonly quotaEvents?: RecordSink<QuotaEvent>
}
export type StoreReader = QuoteReader & MarketReader & KeyReader

export interface StorePlace {
  readonly config: Config
  readonly source: Source
  readonly clock: Clock
}

/** Opens a store to write. Drivers are loaded when they are wanted. @throws CryptosError CRY_STORE_*, CRY_SERVER_* */
export async function openStore(name: StoreName, { config, source, clock }: StorePlace): Promise<StoreSink> {
  switch (name) {
    case 'sqlite':
      prepareFolder(source.folder)
      return await openSqliteSink({ file: storeFiles(source.folder).series, clock })
    case 'cassandra': {
      const { openCassandraSink } = await import('../processors/sinks/cassandra/sink.ts')
      const { cassandraOptions } = await import('./servers.ts')
      return await openCassandraSink(cassandraOptions(config, source, clock))
    }
    case 'influxdb': {
      const { openInfluxSink } = await import('../processors/sinks/influxdb/sink.ts')
      const { influxOptions } = await import('./servers.ts')
      return await openInfluxSink(influxOptions(config, source, clock))
    }
  }
}

/** Opens a store to read. @throws CryptosError CRY_STORE_*, CRY_SERVER_* */
export async function openStoreReader(
  name: StoreName,
  { config, source, clock }: StorePlace,
): Promise<StoreReader> {
  switch (name) {
    case 'sqlite':
      return await openReader(source, clock)
    case 'cassandra': {
      const { openCassandraReader } = await import('../processors/sinks/cassandra/reader.ts')
      const { cassandraOptions } = await import('./servers.ts')
      return await openCassandraReader(cassandraOptions(config, source, clock))
    }
    case 'influxdb': {
      const { openInfluxReader } = await import('../processors/sinks/influxdb/reader.ts')
      const { influxOptions } = await import('./servers.ts')
      return await openInfluxReader(influxOptions(config, source, clock))
    }
  }
}
