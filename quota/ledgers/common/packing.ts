/** Loaded for a body that needs it: a scheduled `collect` pays for every module at its start. */
const zlib = (): typeof import('node:zlib') => process.getBuiltinModule('node:zlib')

/** Smaller bodies gain too little for the time of the transaction that they are stored in. */
const leastBytes = 16_384
/** Larger than any answer that is let in, so that a damaged file can not fill the memory. */
const maxBytes = 64_000_000
/** The fastest: a list of 2,000 coins (1.4 MB) becomes a seventh in about 10 ms. */
const level = 1

/** A body as it is stored: large ones as gzip, the others as they are. */
export function pack(body: Uint8Array): { readonly body: Uint8Array; readonly packed: 0 | 1 } {
  if (body.byteLength < leastBytes) return { body, packed: 0 }
  const small = zlib().gzipSync(body, { level })
  return small.byteLength < body.byteLength ? { body: small, packed: 1 } : { body, packed: 0 }
}

/** The very bytes that were packed. @throws what zlib throws for a damaged body */
export const unpack = (body: Uint8Array, packed: boolean): Uint8Array =>
  packed ? zlib().gunzipSync(body, { maxOutputLength: maxBytes }) : body
