import { createHash } from 'node:crypto'
import type { EpochMicros } from '../../core/brands.ts'
import { type Quote, quoteId, quoteVersion } from '../../core/records.ts'
import { HOUR, toIso } from '../../core/time.ts'

/** What one place holds of one identity after reduction: its newest version, as a hash of all fields. */
interface Held {
  readonly version: number
  readonly hash: string
  readonly group: string
}

/** Rows of one place (answers, topic, store), reduced by id and version. */
export class Side {
  readonly name: string
  readonly held = new Map<string, Held>()
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
    if (before && before.version >= version) return
    const hash = createHash('sha256').update(this.#encode(quote)).digest('base64url')
    this.held.set(id, { version, hash, group: groupOf(quote) })
  }
}

/** (provider, asset, hour of observation), as text. */
function groupOf(quote: Quote): string {
  const hour = (quote.observedAt - (quote.observedAt % (HOUR * 1_000))) as EpochMicros
  return `${quote.provider} ${quote.asset} ${toIso(hour).slice(0, 13)}Z`
}
