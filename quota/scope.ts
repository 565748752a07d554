import { createHash } from 'node:crypto'

/** The quota scope of a key: its hash, so that the key itself is never in the ledger. */
export const scopeOfKey = (key: string): string =>
  `key:${createHash('sha256').update(key).digest('hex').slice(0, 16)}`

/** The quota scope of a source without a key: providers count such calls by our address. */
export const scopeOfHost = (host: string): string => `ip:${host.toLowerCase()}`
