import { createHash } from 'node:crypto'
import type { EpochMicros } from '../../core/brands.ts'
import {
  type MarketRecord,
  marketRecordAt,
  marketRecordId,
  marketRecordVersion,
  type Quote,
  quoteId,
  quoteVersion,
} from '../../core/records.ts'
import { HOUR, toIso } from '../../core/time.ts'

/** What one place holds of one identity after reduction: its newest version, as a hash of all fields. */
interface Held<R> {
  readonly version: number
  readonly hash: string
  readonly group: string
  readonly rawRef: string | null
  readonly at: EpochMicros
  readonly kind: R extends { readonly kind: infer K } ? K : never
  /** Of a quote. */
  readonly price: string
}

/** What a place knows of the records that it holds. */
interface Identity<R> {
  id(record: R): string
  version(record: R): number
  group(record: R): string
  /** The answer that it was made of; null where it was worked out. */
  rawRef(record: R): string | null
  at(record: R): EpochMicros
  price(record: R): string
}

type Kinded = { readonly kind: string }

/** Rows of one place (answers, topic, store), reduced by id and version. */
export class Side<R extends Kinded> {
  readonly name: string
  readonly held = new Map<string, Held<R>>()
  /** Group by id of records that are here twice, from one answer and with one version, but not alike. */
  readonly conflicts = new Map<string, string>()
  /** Rows before the reduction. */
  rows = 0
  readonly #of: Identity<R>
  readonly #encode: (record: R) => Uint8Array
  /** `<id> <price>` of versions that others replaced: what was worked out of them was right at its time. */
  readonly #replaced = new Set<string>()

  constructor(name: string, encode: (record: R) => Uint8Array, identity: Identity<R>) {
    this.name = name
    this.#encode = encode
    this.#of = identity
  }

  add(record: R): void {
    this.rows += 1
    const of = this.#of
    const id = of.id(record)
    const version = of.version(record)
    const before = this.held.get(id)
    const price = of.price(record)
    if (before && before.price !== price)
      for (const p of [before.price, price]) this.#replaced.add(`${id} ${p}`)
    if (before && before.version > version) return
    const hash = createHash('sha256').update(this.#encode(record)).digest('base64url')
    const rawRef = of.rawRef(record)
    if (before?.version !== version) this.held.set(id, this.#held(record, { version, hash, rawRef, price }))
    // Two answers of one microsecond are two values: the first wins everywhere.
    else if (before.hash !== hash && rawRef !== null && before.rawRef === rawRef)
      this.conflicts.set(id, before.group)
  }

  holds(record: R): boolean {
    return this.held.get(this.#of.id(record))?.version === this.#of.version(record)
  }

  idOf(record: R): string {
    return this.#of.id(record)
  }

  /** Whether a value of the identity ever had this price here. */
  hadPrice(id: string, price: string): boolean {
    return this.held.get(id)?.price === price || this.#replaced.has(`${id} ${price}`)
  }

  #held(record: R, known: Pick<Held<R>, 'version' | 'hash' | 'rawRef' | 'price'>): Held<R> {
    const kind = record.kind as Held<R>['kind']
    return { ...known, kind, group: this.#of.group(record), at: this.#of.at(record) }
  }
}

/** (provider, asset or dataset, hour), as text. */
export const groupAt = (provider: string, what: string, at: EpochMicros): string =>
  `${provider} ${what} ${toIso((at - (at % (HOUR * 1_000))) as EpochMicros).slice(0, 13)}Z`

const quoteIdentity: Identity<Quote> = {
  id: quoteId,
  version: quoteVersion,
  group: q => groupAt(q.provider, q.asset, q.observedAt),
  rawRef: q => q.rawRef,
  at: q => q.observedAt,
  price: q => q.price,
}

const marketIdentity: Identity<MarketRecord> = {
  id: marketRecordId,
  version: marketRecordVersion,
  group: marketGroupOf,
  rawRef: r => ('rawRef' in r ? r.rawRef : null),
  at: marketRecordAt,
  price: () => '',
}

/** Provider (or what it is, where no single provider says it), asset or figure, and hour. */
export function marketGroupOf(r: MarketRecord): string {
  const who = r.kind === 'consensus' || r.kind === 'serving' ? r.kind : r.provider
  return groupAt(who, r.kind === 'metric' ? r.name : r.asset, marketRecordAt(r))
}

export type QuoteSide = Side<Quote>
export type MarketSide = Side<MarketRecord>
export const quoteSide = (name: string, encode: (quote: Quote) => Uint8Array): QuoteSide =>
  new Side(name, encode, quoteIdentity)
export const marketSide = (name: string, encode: (record: MarketRecord) => Uint8Array): MarketSide =>
  new Side(name, encode, marketIdentity)
