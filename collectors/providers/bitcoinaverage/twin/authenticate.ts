import { createHmac, timingSafeEqual } from 'node:crypto'
import { toEpochMs } from '../../../../core/time.ts'
import type { Call } from '../../../../sandbox/types.ts'
import { sandboxSecret } from './sandbox-secret.ts'

export interface Refusal {
  readonly status: 401 | 403
  readonly text: string
}

/** Words of January 2020; those of the other texts are the sandbox's own. */
export const unauthenticated =
  'Unauthenticated requests are not allowed. Take out a new plan or start a free trial at https://pro.bitcoinaverage.com'
export const outOfTime = 'The timestamp of the signature is more than 15 seconds from the server time'

const refuse = (status: Refusal['status'], text: string): Refusal => ({ status, text })

/** The public key of a call by either header, or why it is refused. */
export function authenticate(call: Call, keys: readonly string[], maxSkewMs: number): string | Refusal {
  const plain = call.headers['x-ba-key']
  if (plain !== undefined) return keys.includes(plain) ? plain : refuse(401, 'Invalid API key')
  const signature = call.headers['x-signature']
  if (signature === undefined) return refuse(401, unauthenticated)
  const [, unix = '', publicKey = '', hex = ''] =
    /^(\d{1,12})\.([^.]+)\.([0-9a-f]{64})$/.exec(signature) ?? []
  if (hex === '') return refuse(401, 'Malformed signature')
  if (!keys.includes(publicKey)) return refuse(401, 'Invalid API key')
  const offMs = Math.abs(Math.floor(toEpochMs(call.at) / 1_000) - Number(unix)) * 1_000
  if (offMs > maxSkewMs) return refuse(403, outOfTime)
  const expected = createHmac('sha256', sandboxSecret).update(`${unix}.${publicKey}`).digest()
  return timingSafeEqual(expected, Buffer.from(hex, 'hex')) ? publicKey : refuse(401, 'Invalid signature')
}
