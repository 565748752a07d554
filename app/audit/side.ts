import { createHash } from 'node:crypto'
import type { EpochMicros } from '../../core/brands.ts'
import { type Quote, quoteId, quoteVersion } from '../../core/records.ts'
import { HOUR, toIso } from '../../core/time.ts'

/** What one place holds of one identity after reduction: its newest version, as a hash of all fields. */
interface Held {
  readonly version: number
  readonly hash: string
  readonly group: string
  readonly rawRef: string
}

/** Rows of one place (answers, topic, store), reduced by id and version. */
export class Side {
  readonly name: string
  readonly held = new Map<string, Held>()
  /** Group by id of records that are here twice, from one answer and with one version, but not alike. */
  readonly conflicts = new Map<string, string>()
  /** Rows before the reduction. */
  rows = 0
  readonly #encode: (quote: Quote) => Uint8Array

  constructor(name: string, encode: (quote: Quote) => Uint8Array) {
    this.name = name
    this.#encode = encode
  }

  add(quote: Quote): void {
    this.rows += 1
    const id = quoteId(quote)
    const version = quoteVersion(quote)
    const before = this.held.get(id)
    if (before && before.version > version) return
    const hash = createHash('sha256').update(this.#encode(quote)).digest('base64url')
    if (before?.version !== version)
      this.held.set(id, { version, hash, group: groupOf(quote), rawRef: quote.rawRef })
    // Two answers of one microsecond are two values: the first wins everywhere.
    else if (before.hash !== hash && before.rawRef === quote.rawRef) this.conflicts.set(id, before.group)
  }

  holds(quote: Quote): boolean {
    return this.held.get(quoteId(quote))?.version === quoteVersion(quote)
  }
}

/** (provider, asset or dataset, hour), as text. */
export const groupAt = (provider: string, what: string, at: EpochMicros): string =>
  `${provider} ${what} ${toIso((at - (at % (HOUR * 1_000))) as EpochMicros).slice(0, 13)}Z`

const groupOf = (quote: Quote): string => groupAt(quote.provider, quote.asset, quote.observedAt)
