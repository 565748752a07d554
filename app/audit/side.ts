import type { EpochMicros } from '../../core/brands.ts'
import type { MarketRecord, Quote } from '../../core/records.ts'
import { countGroups, groupAt } from './groups.ts'
import { type Identity, marketIdentity, quoteIdentity } from './identity.ts'
import type { Ids } from './ids.ts'
import { priceKeyOf, Table } from './table.ts'

type Kinded = { readonly kind: string }

/**
 * Rows of one place (answers, topic, a store), reduced by id and version: of each identity the newest version, as a hash of all
 * fields. Keeps 36 bytes a row beside the id, whose text all places share.
 */
export class Side<R extends Kinded> {
  readonly name: string
  /** Ids of records that are here twice, from one answer and with one version, but not alike. */
  readonly conflicts = new Set<string>()
  /** Rows before the reduction. */
  rows = 0
  readonly #of: Identity<R>
  readonly #encode: (record: R) => Uint8Array
  readonly #ids: Ids
  readonly #table = new Table()
  /** Prices by identity of versions that others replaced: what was worked out of them was right at its time. */
  readonly #replaced = new Set<string>()

  constructor(name: string, encode: (record: R) => Uint8Array, identity: Identity<R>, ids: Ids) {
    this.name = name
    this.#encode = encode
    this.#of = identity
    this.#ids = ids
  }

  /** Returns the id. */
  add(record: R): string {
    this.rows += 1
    const of = this.#of
    const row = this.#ids.of(of.id(record))
    const id = this.#ids.text(row)
    const version = of.version(record)
    const price = of.price(record)
    const before = this.#table.version(row)
    if (before !== undefined && !this.#table.hasPrice(row, price)) {
      this.#replaced.add(this.#table.priceKey(row))
      this.#replaced.add(priceKeyOf(row, price))
    }
    if (before !== undefined && before > version) return id
    const rawRef = of.rawRef(record)
    const made = { version, bytes: this.#encode(record), ref: this.#ids.ref(rawRef), price }
    if (before !== version) this.#table.set(row, made)
    // Two answers of one microsecond are two values: the first wins everywhere.
    else if (rawRef !== null && this.#table.differs(row, made)) this.conflicts.add(id)
    return id
  }

  /** Distinct ids. */
  get size(): number {
    return this.#table.count
  }

  *ids(): Iterable<string> {
    for (const row of this.#table.rows()) yield this.#ids.text(row)
  }

  /** undefined = no such id is here. */
  versionOf(id: string): number | undefined {
    const row = this.#ids.find(id)
    return row === undefined ? undefined : this.#table.version(row)
  }

  /** Whether both hold one version of an id, alike in every digit. */
  isLike(other: Side<R>, id: string): boolean {
    const row = this.#ids.find(id)
    return row !== undefined && this.#table.isLike(other.#table, row)
  }

  holds(record: R): boolean {
    return this.versionOf(this.#of.id(record)) === this.#of.version(record)
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
    return countGroups(this.ids(), this.#of.parts)
  }

  /** Whether the newest value of the identity has this price here. */
  hasPrice(id: string, price: string): boolean {
    const row = this.#ids.find(id)
    return row !== undefined && this.#table.hasPrice(row, price)
  }

  /** Whether a value of the identity ever had this price here. */
  hadPrice(id: string, price: string): boolean {
    const row = this.#ids.find(id)
    if (row === undefined) return false
    return this.#table.hasPrice(row, price) || this.#replaced.has(priceKeyOf(row, price))
  }
}

export type QuoteSide = Side<Quote>
export type MarketSide = Side<MarketRecord>
/** `ids` is one for all sides that are compared. */
export const quoteSide = (name: string, encode: (quote: Quote) => Uint8Array, ids: Ids): QuoteSide =>
  new Side(name, encode, quoteIdentity, ids)
export const marketSide = (
  name: string,
  encode: (record: MarketRecord) => Uint8Array,
  ids: Ids,
): MarketSide => new Side(name, encode, marketIdentity, ids)

/** Newest version by id. */
export const versionsOf = (side: Pick<QuoteSide, 'ids' | 'versionOf'>): Map<string, number> =>
  new Map([...side.ids()].map(id => [id, side.versionOf(id) ?? 0]))
