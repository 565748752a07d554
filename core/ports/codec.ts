/**
 * Bytes of one record kind in a topic. Implement it so that `decode(encode(r))` deep-equals `r` and keeps every digit.
 * `decode` checks everything: @throws CryptosError CRY_RECORD_INVALID with the path of the first wrong field.
 */
export interface Codec<Record_> {
  /** Goes into the header `schema`: `quote.v1+json`. */
  readonly schema: string
  encode(record: Record_): Uint8Array
  decode(bytes: Uint8Array): Record_
}
