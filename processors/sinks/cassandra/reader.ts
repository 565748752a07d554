import { CryptosError } from '../../../core/errors.ts'
import type {
  KeyReader,
  MarketFilter,
  MarketKind,
  MarketQuery,
  MarketRange,
  MarketReader,
  MarketRecordOf,
  QuoteReader,
} from '../../../core/ports/reader.ts'
import type { MarketRecord, SourceFlag } from '../../../core/records.ts'
import { CassandraMarketReader } from './market-reader.ts'
import type { CassandraOptions } from './options.ts'
import { CassandraQuoteReader } from './quote-reader.ts'
import { newestStep } from './schema-files.ts'
import { appliedSteps, hasKeyspace } from './schema.ts'
import { openSession } from './session.ts'
import type { Session } from './session.ts'

type StoreReader = QuoteReader & MarketReader & KeyReader

/** All that is read from one keyspace, over one connection. */
class CassandraReader extends CassandraQuoteReader implements StoreReader {
  readonly #market: CassandraMarketReader
  constructor(session: Session) {
    super(session)
    this.#market = new CassandraMarketReader(session)
  }

  records<K extends MarketKind>(query: MarketQuery<K>): Promise<readonly MarketRecordOf<K>[]> {
    return this.#market.records(query)
  }

  allRecords<K extends MarketKind>(range: MarketRange<K>): AsyncIterable<MarketRecordOf<K>> {
    return this.#market.allRecords(range)
  }

  latestRecords<K extends MarketKind>(kind: K, filter?: MarketFilter): Promise<readonly MarketRecordOf<K>[]> {
    return this.#market.latestRecords(kind, filter)
  }

  flagsOf(range: Omit<MarketRange<'source-flag'>, 'kind'>): Promise<readonly SourceFlag[]> {
    return this.#market.flagsOf(range)
  }

  recordsOf(ids: Iterable<string>): AsyncIterable<MarketRecord> {
    return this.#market.recordsOf(ids)
  }
}

/**
 * Opens the store of one keyspace for reading; a user with SELECT on it is enough.
 * @throws CryptosError CRY_SERVER_UNREACHABLE, CRY_SERVER_REFUSED, CRY_STORE_NEWER, CRY_CONFIG_INVALID; CRY_SERVER_CONFIG when there is no store yet
 */
export async function openCassandraReader(options: CassandraOptions): Promise<StoreReader> {
  const session = await openSession(options)
  try {
    await needStore(session)
    return new CassandraReader(session)
  } catch (error) {
    await session.close()
    throw error
  }
}

async function needStore(session: Session): Promise<void> {
  const missing = (what: string): CryptosError =>
    new CryptosError(
      'CRY_SERVER_CONFIG',
      `Cassandra at ${session.server} ${what}: run \`cryptos process\` once, or correct the name of the keyspace`,
    )
  if (!(await hasKeyspace(session))) throw missing(`has no keyspace ${session.keyspace} yet`)
  const newest = Math.max(0, ...(await appliedSteps(session)))
  if (newest < newestStep()) throw missing(`has schema ${newest} in the keyspace ${session.keyspace}`)
}
