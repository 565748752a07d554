import { CryptosError } from '../../../core/errors.ts'
import { consensusProvider } from '../../../core/records.ts'
import type { Quote } from '../../../core/records.ts'
import type { InfluxConnection } from './connection.ts'
import { fieldFloat, fieldKey } from './line.ts'
import { ensureDatabase } from './open.ts'
import { Lines } from './lines.ts'
import type { SentLine } from './lines.ts'
import { storeLines } from './store-lines.ts'

/**
 * The line of the original pipeline: `cryptos BTC-USD=19890.1212`, one field for each coin, in a database of its own, for dashboards
 * that were made for it. It has no provider and no exact digits, so sources that are collected side by side take turns in it.
 */
export class CoinLines {
  readonly #connection: InfluxConnection
  readonly #database: string
  private constructor(connection: InfluxConnection, database: string) {
    this.#connection = connection
    this.#database = database
  }

  /** Makes the database if it is missing and the user may. @throws CryptosError CRY_SERVER_* */
  static async open(connection: InfluxConnection, database: string): Promise<CoinLines> {
    await ensureDatabase(connection, database)
    return new CoinLines(connection, database)
  }

  /** What that database can not take (a name, a time) stands in the quotes all the same. @throws CryptosError CRY_SERVER_* */
  async write(quotes: readonly Quote[]): Promise<void> {
    const lines = Lines.of(quotes.flatMap(coinLine))
    if (lines.length > 0) await storeLines(this.#connection, lines, this.#database)
  }
}

export function coinLine(q: Quote): readonly SentLine[] {
  const price = fieldFloat(q.price)
  if (q.provider === consensusProvider || price === undefined) return []
  try {
    const line = `cryptos ${fieldKey('symbol', `${q.symbol}-${q.currency}`)}=${price} ${q.observedAt}`
    return [{ line, at: q.observedAt }]
  } catch (error) {
    if (error instanceof CryptosError && error.code === 'CRY_RECORD_INVALID') return []
    throw error
  }
}
