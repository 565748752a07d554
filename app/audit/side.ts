import { hash as hashOf } from 'node:crypto'
import type { EpochMicros } from '../../core/brands.ts'
import {
  type MarketRecord,
  marketRecordId,
  marketRecordVersion,
  type Quote,
  quoteId,
  quoteVersion,
} from '../../core/records.ts'
import { countGroups, groupAt, type IdParts, marketIdParts, quoteIdParts } from './groups.ts'

/** What one place holds of one identity after reduction: its newest version, as a hash of all fields. */
interface Held {
  readonly version: number
  readonly hash: string
  readonly rawRef: string | null
  /** Of a quote. */
  readonly price: string
}

/** What a place knows of the records that it holds. */
interface Identity<R> {
  id(record: R): string
  version(record: R): number
  /** The answer that it was made of; null where it was worked out. */
  rawRef(record: R): string | null
  price(record: R): string
  /** What an id tells. */
  parts(id: string): IdParts
}

type Kinded = { readonly kind: string }

/** Rows of one place (answers, topic, store), reduced by id and version. Keeps some 300 bytes a row. */
export class Side<R extends Kinded> {
  readonly name: string
  readonly held = new Map<string, Held>()
  /** Ids of records that are here twice, from one answer and with one version, but not alike. */
  readonly conflicts = new Set<string>()
  /** Rows before the reduction. */
  rows = 0
  readonly #of: Identity<R>
  readonly #encode: (record: R) => Uint8Array
  /** `<id> <price>` of versions that others replaced: what was worked out of them was right at its time. */
  readonly #replaced = new Set<string>()
  /** One text for all rows of an answer. */
  readonly #refs = new Map<string, string>()

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
    const hash = hashOf('sha256', this.#encode(record), 'base64url')
    const rawRef = this.#refOf(of.rawRef(record))
    if (before?.version !== version) this.held.set(id, { version, hash, rawRef, price })
    // Two answers of one microsecond are two values: the first wins everywhere.
    else if (before.hash !== hash && rawRef !== null && before.rawRef === rawRef) this.conflicts.add(id)
  }

  holds(record: R): boolean {
    return this.held.get(this.#of.id(record))?.version === this.#of.version(record)
  }

  idOf(record: R): string {
    return this.#of.id(record)
  }

  atOf(id: string): EpochMicros {
    return this.#of.parts(id).at
  }

  /** The group of an id, as text. */
  groupOf(id: string): string {
    const { who, what, at } = this.#of.parts(id)
    return groupAt(who, what, at)
  }

  countGroups(): number {
    return countGroups(this.held.keys(), this.#of.parts)
  }

  /** Whether a value of the identity ever had this price here. */
  hadPrice(id: string, price: string): boolean {
    return this.held.get(id)?.price === price || this.#replaced.has(`${id} ${price}`)
  }

  #refOf(ref: string | null): string | null {
    if (ref === null) return null
    const known = this.#refs.get(ref)
    if (known === undefined) this.#refs.set(ref, ref)
    return known ?? ref
  }
}

const quoteIdentity: Identity<Quote> = {
  id: quoteId,
  version: quoteVersion,
  rawRef: q => q.rawRef,
  price: q => q.price,
  parts: quoteIdParts,
}

const marketIdentity: Identity<MarketRecord> = {
  id: marketRecordId,
  version: marketRecordVersion,
  rawRef: r => ('rawRef' in r ? r.rawRef : null),
  price: () => '',
  parts: marketIdParts,
}

export type QuoteSide = Side<Quote>
export type MarketSide = Side<MarketRecord>
export const quoteSide = (name: string, encode: (quote: Quote) => Uint8Array): QuoteSide =>
  new Side(name, encode, quoteIdentity)
export const marketSide = (name: string, encode: (record: MarketRecord) => Uint8Array): MarketSide =>
  new Side(name, encode, marketIdentity)
