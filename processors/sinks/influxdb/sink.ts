import type { BatchSource, MarketSink, QuoteSink, StoreResult } from '../../../core/ports/sink.ts'
import { quoteVersion } from '../../../core/records.ts'
import type { Quote } from '../../../core/records.ts'
import { saysNow } from '../rows-to-history.ts'
import { CoinLines } from './coin-lines.ts'
import type { InfluxConnection } from './connection.ts'
import { InfluxMarketSink } from './market-sink.ts'
import { checkFields, checkMayWrite, openConnection } from './open.ts'
import type { InfluxOptions } from './options.ts'
import type { PointShape } from './point-shape.ts'
import { PointWriter } from './point-writer.ts'
import { versionIn } from '../quote-text.ts'
import { quoteLine, quotePoints } from './quote-line.ts'

export type { InfluxOptions }

const quoteShape: PointShape<Quote> = {
  measurement: () => quotePoints,
  tags: ({ provider, asset, currency }) => ({ provider, asset, currency }),
  key: q => `quote\n${q.provider}\n${q.asset}\n${q.currency}`,
  isSameSeries: (a, b) => a.asset === b.asset && a.provider === b.provider && a.currency === b.currency,
  at: q => q.observedAt,
  version: quoteVersion,
  isLive: saysNow,
  line: quoteLine,
  versionOf: versionIn,
}

/**
 * Quotes in InfluxDB 1.8 or 2. A batch is one request, and its 204 says that all of it is on the server's disk. Which points were
 * read of the log is the consumer group's to know: the server has no transaction that could hold rows and place together.
 */
export class InfluxSink implements QuoteSink {
  readonly name = 'influxdb'
  /** The records beside quotes, over the same connection; closed with this sink. */
  readonly market: MarketSink
  readonly #connection: InfluxConnection
  readonly #writer: PointWriter<Quote>
  readonly #coins: CoinLines | undefined
  constructor(connection: InfluxConnection, coins: CoinLines | undefined) {
    this.#connection = connection
    this.#writer = new PointWriter(connection, quoteShape)
    this.#coins = coins
    this.market = new InfluxMarketSink(connection)
  }

  /** @throws CryptosError CRY_SERVER_*, CRY_DISK_FULL; CRY_RECORD_INVALID with `partial` when all but some records are stored */
  async write(quotes: readonly Quote[], source: BatchSource): Promise<StoreResult> {
    const coins = this.#coins
    return await this.#writer.write(quotes, source, coins && (sent => coins.write(sent)))
  }

  /**
   * For what a second writer did (a consumer that came back from a pause, after another had taken its partition): stores these
   * values, which the caller knows to be the right ones, whatever is stored.
   */
  async repair(quotes: readonly Quote[]): Promise<void> {
    await this.#writer.overwrite(quotes)
  }

  async close(): Promise<void> {
    this.#connection.close()
  }
}

/**
 * Opens the database, and makes it where it is missing and the user may.
 * @throws CryptosError CRY_CONFIG_INVALID, CRY_SERVER_UNREACHABLE, CRY_SERVER_REFUSED, CRY_SERVER_CONFIG
 */
export async function openInfluxSink(options: InfluxOptions): Promise<InfluxSink> {
  const connection = await openConnection(options)
  try {
    await checkFields(connection)
    await checkMayWrite(connection)
    const { coinLineDatabase } = options
    const coins =
      coinLineDatabase === undefined ? undefined : await CoinLines.open(connection, coinLineDatabase)
    return new InfluxSink(connection, coins)
  } catch (error) {
    connection.close()
    throw error
  }
}
