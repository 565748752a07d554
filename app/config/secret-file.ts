import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { CryptosError } from '../../core/errors.ts'

const longestKeyBytes = 4_096

/**
 * Reads a secret from a file that only its owner can read. What is judged is what is read: one open file, without waiting for
 * the other end of a pipe. A link is followed (secret mounts are links); the file that it leads to is judged.
 * @throws CryptosError CRY_SECRET_FILE, naming the file and never its content
 */
export function readSecretFile(file: string, name: string, maxBytes = longestKeyBytes): string {
  const refuse = (why: string, cause?: unknown): never => {
    throw new CryptosError('CRY_SECRET_FILE', `${name}: ${file} ${why}`, { cause })
  }
  let handle: number | undefined
  try {
    handle = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
    const stat = fstatSync(handle)
    if (!stat.isFile()) return refuse('is not a file: name a file that holds the key alone')
    if (stat.size > maxBytes) return refuse(`is larger than ${maxBytes} bytes: it should hold the key alone`)
    if (hasModeBits() && (stat.mode & 0o077) !== 0) return refuse('can be read by others: chmod 600 it')
    return readFileSync(handle, 'utf8').trim()
  } catch (cause) {
    if (cause instanceof CryptosError) throw cause
    const why = (cause as NodeJS.ErrnoException).code ?? 'unknown'
    return refuse(`can not be read (${why}): correct the path or its permissions`, cause)
  } finally {
    if (handle !== undefined) closeSync(handle)
  }
}

/** Windows has no permission bits: Node makes them up. */
const hasModeBits = (): boolean => process.platform !== 'win32'

const printable = /^[\x21-\x7e]{1,4096}$/

/** @throws CryptosError CRY_CONFIG_INVALID when the text can not be a key (empty, spaces, line breaks, non-ASCII) */
export function checkSecret(text: string, name: string): string {
  if (printable.test(text)) return text
  throw new CryptosError(
    'CRY_CONFIG_INVALID',
    `${name} is empty or has spaces, line breaks or non-ASCII characters: set it to the key alone`,
  )
}
