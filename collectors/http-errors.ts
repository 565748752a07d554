import { CryptosError, isCryptosError, isTooManyFiles } from '../core/errors.ts'

/** Codes of TLS that mean: the certificate, or the protocol, is not acceptable. */
const tlsPattern =
  /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_MISMATCH|INVALID_CA|EPROTO)/

/**
 * A new error for whatever the transport threw. Only its code is kept: messages and fields of axios and Node hold headers,
 * addresses and configuration, and so the key.
 */
export function httpError(error: unknown, host: string): CryptosError {
  if (isCryptosError(error)) return error
  const code = codeOf(error)
  if (code !== undefined && tlsPattern.test(code))
    return new CryptosError('CRY_HTTP_TLS', `the certificate of ${host} was refused (${code})`)
  if (code === 'ERR_INVALID_CHAR')
    return new CryptosError(
      'CRY_CONFIG_INVALID',
      `a header for ${host} has a character that no header may have`,
    )
  if (code === 'HPE_HEADER_OVERFLOW')
    return new CryptosError('CRY_HTTP_TOO_LARGE', `the headers of ${host} are too large`)
  if (isTooManyFiles({ code }))
    return new CryptosError('CRY_TOO_MANY_FILES', `no connection to ${host}: too many open files (${code})`)
  return new CryptosError('CRY_HTTP_NETWORK', `no whole answer from ${host} (${code ?? 'cut'})`)
}

function codeOf(error: unknown): string | undefined {
  const code = (error as { readonly code?: unknown } | null)?.code
  if (typeof code === 'string' && /^[A-Z0-9_]{2,60}$/.test(code)) return code
  const inner = (error as { readonly errors?: readonly unknown[] } | null)?.errors?.[0]
  return inner === undefined ? undefined : codeOf(inner)
}
