import type { DecimalString, EpochMicros, ProviderId } from './brands.ts'
import type { Origin } from './records.ts'

/** One trade of an exchange stream. Identity: venue, product, tradeId. */
export interface Trade {
  readonly kind: 'trade'
  /** Folder of the exchange: `coinbase`. */
  readonly venue: ProviderId
  /** The venue's own name of the pair: `BTC-USD`. */
  readonly product: string
  /** The venue's own id; where it has none, connection, message and index within it. */
  readonly tradeId: string
  /** In the quote currency of the product. */
  readonly price: DecimalString
  /** In units of the base asset. */
  readonly size: DecimalString
  /** Who took the offer of the other; absent where the venue does not tell. */
  readonly takerSide?: 'buy' | 'sell'
  /** The venue's clock. */
  readonly tradedAt: EpochMicros
  readonly receivedAt: EpochMicros
  readonly origin: Origin
}

/** What was traded in one window of time. Identity: venue, product, interval, windowStart. */
export interface Bar {
  readonly kind: 'bar'
  readonly venue: ProviderId
  readonly product: string
  /** Width of the window: `1m`, `30s`. */
  readonly interval: string
  readonly windowStart: EpochMicros
  /** Trades in the window. */
  readonly count: number
  readonly open: DecimalString
  readonly high: DecimalString
  readonly low: DecimalString
  readonly close: DecimalString
  /** Mean of the prices, each trade alike. */
  readonly average: DecimalString
  /** Sum of the sizes, in units of the base asset. */
  readonly volume: DecimalString
  /** Mean of the prices by size. */
  readonly vwap: DecimalString
  /** Whether the window is over; until then a bar is replaced as trades come. */
  readonly complete: boolean
  /** When it was worked out. */
  readonly receivedAt: EpochMicros
  /** Counts up where two values of a bar would have one receivedAt. */
  readonly revision: number
  readonly origin: Origin
}

/** Id of a trade: its identity as text. A product or id of a venue may hold any character, so the parts are escaped. */
export const tradeId = (t: Pick<Trade, 'venue' | 'product' | 'tradeId'>): string =>
  `${t.venue}|${escaped(t.product)}|${escaped(t.tradeId)}`

/** Decides between two values of one trade: the larger wins. */
export const tradeVersion = (t: Pick<Trade, 'receivedAt'>): number => t.receivedAt

/** Id of a bar: its identity as text. */
export const barId = (b: Pick<Bar, 'venue' | 'product' | 'interval' | 'windowStart'>): string =>
  `${b.venue}|${escaped(b.product)}|${b.interval}|${b.windowStart}`

/** Decides between two values of one bar: the larger wins. */
export const barVersion = (b: Pick<Bar, 'receivedAt' | 'revision'>): number => b.receivedAt + b.revision

/** Without the separator of ids. */
const escaped = (text: string): string => text.replaceAll('%', '%25').replaceAll('|', '%7C')
