import { createHash } from 'node:crypto'

/**
 * The quota scope of a key: its hash with the provider's name, so that the key itself is never in the ledger, and two providers that
 * were given the same text never share a count.
 */
export const scopeOfKey = (provider: string, key: string): string =>
  `key:${createHash('sha256').update(`${provider}/${key}`).digest('hex').slice(0, 16)}`

/** The quota scope of a source without a key: providers count such calls by our address. */
export const scopeOfHost = (host: string): string => `ip:${host.toLowerCase()}`
