import { CryptosError, toCryptosError } from '../core/errors.ts'
import type { StoredMessage } from '../core/ports/broker.ts'
import type { Codec } from '../core/ports/codec.ts'
import { headerNames } from '../topics/messages.ts'

/** Far above any record of ours, far below what hurts: a message of 5 MB is refused unread. */
const maxValueBytes = 1_024 * 1_024
const maxHeaderLength = 16 * 1_024
const maxHeaders = 64

export type Decoded<R> =
  | { readonly ok: true; readonly record: R }
  | { readonly ok: false; readonly error: CryptosError }

/** Reads one message; never throws. */
export function decodeMessage<R>(message: StoredMessage, codec: Codec<R>): Decoded<R> {
  try {
    return { ok: true, record: codec.decode(checkedValue(message, codec.schema)) }
  } catch (error) {
    return { ok: false, error: toCryptosError(error) }
  }
}

function checkedValue(message: StoredMessage, schema: string): Uint8Array {
  const refuse = (what: string): never => {
    throw new CryptosError('CRY_RECORD_INVALID', what)
  }
  const { value, headers } = message
  if (value === null) return refuse('$: no value (a tombstone), where a record is expected')
  if (value.length > maxValueBytes) refuse(`$: ${value.length} bytes, at most ${maxValueBytes} are read`)
  let count = 0
  let length = 0
  for (const name in headers) {
    count += 1
    length += name.length + (headers[name]?.length ?? 0)
  }
  if (count > maxHeaders || length > maxHeaderLength) refuse('headers: too many or too long')
  const found = headers[headerNames.schema]
  if (found !== schema)
    refuse(`header ${headerNames.schema}: ${JSON.stringify(found ?? null)?.slice(0, 80)}, expected ${schema}`)
  return value
}
