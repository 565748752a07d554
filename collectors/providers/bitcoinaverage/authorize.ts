import { createHmac } from 'node:crypto'
import { CryptosError } from '../../../core/errors.ts'
import type { Authorize } from '../../provider.ts'
import { toEpochMs } from '../../../core/time.ts'

/**
 * Both schemes of the API by the form of the key text.
 *
 * `<public>:<secret>`: `X-signature: <unix>.<public>.<hex HMAC-SHA256(secret, "<unix>.<public>")>`, the time being now; the
 * server refuses it beyond 15 s. A text without a colon is a public key alone: `x-ba-key: <public>`. A dot is no separator: it is
 * the one of the signature, so no key has it, and a text with one (`<public>.<secret>`) would send a secret as it is.
 * @throws CryptosError CRY_CONFIG_INVALID for a text that is neither; the message never holds it
 */
export const authorize: Authorize = (key, at) => {
  const [publicKey = '', secret, ...more] = key.split(':')
  if (!/^[^\s.]+$/.test(publicKey) || secret === '' || more.length > 0)
    throw new CryptosError('CRY_CONFIG_INVALID', 'the key of BitcoinAverage is <public> or <public>:<secret>')
  if (secret === undefined) return { name: 'x-ba-key', value: publicKey }
  const payload = `${Math.floor(toEpochMs(at) / 1_000)}.${publicKey}`
  const signature = createHmac('sha256', secret).update(payload).digest('hex')
  return { name: 'X-signature', value: `${payload}.${signature}` }
}
