import { readFileSync, statSync } from 'node:fs'
import { CryptosError } from '../../core/errors.ts'

const maxSecretBytes = 4_096

/**
 * Reads a secret from a file that only its owner can read.
 * @throws CryptosError CRY_SECRET_FILE, naming the file and never its content
 */
export function readSecretFile(file: string, name: string): string {
  const refuse = (why: string, cause?: unknown): never => {
    throw new CryptosError('CRY_SECRET_FILE', `${name}: ${file} ${why}`, { cause })
  }
  let mode = 0
  let text = ''
  try {
    const stat = statSync(file)
    if (!stat.isFile()) return refuse('is not a file')
    if (stat.size > maxSecretBytes) return refuse(`is larger than ${maxSecretBytes} bytes`)
    mode = stat.mode
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    if (cause instanceof CryptosError) throw cause
    return refuse(`can not be read (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})`, cause)
  }
  if (process.platform !== 'win32' && (mode & 0o077) !== 0)
    return refuse('can be read by others: chmod 600 it')
  return text.trim()
}

const printable = /^[\x21-\x7e]{1,4096}$/

/** @throws CryptosError CRY_CONFIG_INVALID when the text can not be a key (empty, spaces, line breaks, non-ASCII) */
export function checkSecret(text: string, name: string): string {
  if (printable.test(text)) return text
  throw new CryptosError(
    'CRY_CONFIG_INVALID',
    `${name} is empty or has spaces, line breaks or non-ASCII characters: set it to the key alone`,
  )
}
