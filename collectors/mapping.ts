import type { AssetId, DecimalString, EpochMicros } from '../core/brands.ts'
import { type CryptosError, isCryptosError } from '../core/errors.ts'
import type { Currency, Quote } from '../core/records.ts'
import type { AssetRef, Mapped, MappingContext } from './provider.ts'

/** What a provider's row says; the rest of a quote comes from the context. */
export interface Reading {
  readonly ref: AssetRef
  readonly currency: Currency
  readonly price: DecimalString
  readonly marketCap?: DecimalString | undefined
  readonly volume24h?: DecimalString | undefined
  readonly supply?: DecimalString | undefined
  readonly change24h?: DecimalString | undefined
  /** undefined where the source gives no time. */
  readonly observedAt: EpochMicros | undefined
}

/** A row of an answer: a price, or the reason why there is none (a null price is no error of shape). */
export type Row = Reading | { readonly ref: AssetRef; readonly none: string }

type Draft = { -readonly [K in keyof Quote]: Quote[K] }

export function quoteOf(reading: Reading, context: MappingContext): Quote {
  const quote: Draft = {
    kind: 'quote',
    provider: context.provider,
    asset: reading.ref.asset,
    symbol: reading.ref.symbol,
    sourceId: reading.ref.sourceId,
    currency: reading.currency,
    price: reading.price,
    observedAt: reading.observedAt ?? context.receivedAt,
    observedBy: reading.observedAt === undefined ? 'receiver' : 'source',
    receivedAt: context.receivedAt,
    revision: context.revision,
    origin: context.origin,
    runId: context.runId,
    credits: context.credits,
    rawRef: context.rawRef,
  }
  if (reading.marketCap !== undefined) quote.marketCap = reading.marketCap
  if (reading.volume24h !== undefined) quote.volume24h = reading.volume24h
  if (reading.supply !== undefined) quote.supply = reading.supply
  if (reading.change24h !== undefined) quote.change24h = reading.change24h
  return quote
}

/** Why an asset or a point is missing that an answer has twice. */
export const twoPrices = 'two rows with different prices'

type Price = Pick<Reading, 'price' | 'currency'>

/** `1.50` and `15E-1` are the same price; compared by their digits, never as floats. */
export const isSamePrice = (a: Price, b: Price): boolean =>
  a.currency === b.currency && (a.price === b.price || digitsOf(a.price) === digitsOf(b.price))

/** One text for all ways to write a number. */
function digitsOf(price: DecimalString): string {
  const [mantissa = '', exponent = '0'] = price.toLowerCase().split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  const digits = `${whole}${fraction}`.replace(/^(-?)0+/, '$1')
  const end = digits.search(/0*$/)
  return `${digits.slice(0, end)}e${Number(exponent) - fraction.length + digits.length - end}`
}

interface Missing {
  readonly asset: AssetId
  readonly sourceId: string
  readonly reason: string
}

/** Gathers the rows of one answer, each for itself, so that a bad one spoils no other. */
export class MappedRows {
  readonly #context: MappingContext
  readonly #records = new Map<string, Quote>()
  readonly #missing = new Map<string, Missing>()
  #firstError: CryptosError | undefined
  constructor(context: MappingContext) {
    this.#context = context
  }

  /**
   * Reads one row. Of several rows of a source id the first counts where all say the same price; where they do not, the asset is
   * missing, in whatever order they come: nothing tells which of them is right.
   */
  add(ref: AssetRef, read: () => Row): void {
    if (this.#missing.has(ref.sourceId)) return
    const earlier = this.#records.get(ref.sourceId)
    try {
      const row = read()
      if ('none' in row) this.#miss(ref, earlier ? `a second row without a price: ${row.none}` : row.none)
      else if (!earlier) this.#records.set(ref.sourceId, quoteOf(row, this.#context))
      else if (!isSamePrice(earlier, row)) this.#miss(ref, twoPrices)
    } catch (error) {
      if (!isCryptosError(error)) throw error
      this.#firstError ??= error
      this.#miss(ref, error.message)
    }
  }

  /** Notes a row that does not even say what it is about. */
  addError(error: unknown): void {
    if (!isCryptosError(error)) throw error
    this.#firstError ??= error
  }

  /** @throws CryptosError CRY_PROVIDER_PAYLOAD when not one row could be read and one of them has a wrong shape */
  result(): Mapped {
    if (this.#records.size === 0 && this.#firstError) throw this.#firstError
    for (const ref of this.#context.page.assets)
      if (!this.#records.has(ref.sourceId) && !this.#missing.has(ref.sourceId))
        this.#miss(ref, 'not in the answer')
    return { records: [...this.#records.values()], missing: [...this.#missing.values()] }
  }

  #miss(ref: AssetRef, reason: string): void {
    this.#records.delete(ref.sourceId)
    this.#missing.set(ref.sourceId, { asset: ref.asset, sourceId: ref.sourceId, reason })
  }
}
