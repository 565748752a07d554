import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { CryptosError } from '../../core/errors.ts'
import { loadConfig } from './load.ts'
import { checkSecret, readSecretFile } from './secret-file.ts'

const canary = 'canary-5a1e-0123456789'
const folder = mkdtempSync(join(tmpdir(), 'cryptos-secret-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let count = 0
function file(text: string, mode = 0o600): string {
  const path = join(folder, `key-${count++}`)
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

function refusal(path: string): string {
  try {
    readSecretFile(path, 'KEY_FILE')
  } catch (error) {
    expect(error).toBeInstanceOf(CryptosError)
    const { code, message } = error as CryptosError
    expect(message).not.toContain(canary)
    return `${code} ${message}`
  }
  return 'taken'
}

describe('a file with a secret', () => {
  it('is read without the line break that editors add', () => {
    expect(readSecretFile(file(canary), 'KEY_FILE')).toBe(canary)
    expect(readSecretFile(file(`${canary}\r\n`), 'KEY_FILE')).toBe(canary)
    expect(readSecretFile(file(canary, 0o400), 'KEY_FILE')).toBe(canary)
  })
  it.skipIf(process.platform === 'win32').each([0o644, 0o640, 0o604, 0o660, 0o610, 0o601, 0o777])(
    'is refused with mode %o, because others can use it',
    mode => {
      const path = file(canary, mode)
      expect(refusal(path)).toBe(`CRY_SECRET_FILE KEY_FILE: ${path} can be read by others: chmod 600 it`)
    },
  )
  it('is judged without permission bits on Windows, which has none', () => {
    const real = Object.getOwnPropertyDescriptor(process, 'platform')
    Object.defineProperty(process, 'platform', { value: 'win32', configurable: true })
    try {
      expect(refusal(file(canary, 0o644))).toBe('taken')
    } finally {
      Object.defineProperty(process, 'platform', real ?? { value: 'linux' })
    }
    expect(refusal(file(canary, 0o644))).not.toBe('taken')
  })
  it('must be there and be a file', () => {
    expect(refusal(join(folder, 'none'))).toContain('can not be read (ENOENT): correct the path')
    expect(refusal(join(folder, 'none', 'x'))).toContain('(ENOENT)')
    mkdirSync(join(folder, 'directory'), { mode: 0o700 })
    expect(refusal(join(folder, 'directory'))).toContain('is not a file')
    expect(refusal('/dev/null')).toContain('is not a file')
  })
  it.skipIf(process.platform === 'win32')('is never waited for: a pipe without a writer is refused', () => {
    const path = join(folder, 'pipe')
    execFileSync('mkfifo', ['-m', '600', path])
    expect(refusal(path)).toContain('is not a file')
  })
  it('may be a link, as secret mounts are: the file that it leads to is judged', () => {
    const good = join(folder, 'good-link')
    const bad = join(folder, 'bad-link')
    symlinkSync(file(canary), good)
    symlinkSync(file(canary, 0o644), bad)
    expect(readSecretFile(good, 'KEY_FILE')).toBe(canary)
    expect(refusal(bad)).toContain('can be read by others')
  })
  it('is small', () => {
    expect(refusal(file('x'.repeat(4_097)))).toContain('is larger than 4096 bytes')
  })
  it('is named, with its variable, when it is empty', () => {
    const path = file('\n')
    expect(() => loadConfig({ COINMARKETCAP_API_KEY_FILE: path })).toThrow(
      `COINMARKETCAP_API_KEY_FILE (${path}) is empty or has spaces`,
    )
  })
  it('gives the key to the settings', () => {
    const { secrets } = loadConfig({ COINMARKETCAP_API_KEY_FILE: file(`${canary}\n`) })
    expect(secrets).toEqual({ coinmarketcap: canary })
  })
})

describe('a secret', () => {
  it.each(['', ' ', 'a b', 'a\nb', 'a\u0000b', 'schlüssel', 'x'.repeat(4_097)])('is not %j', text => {
    expect(() => checkSecret(text, 'KEY')).toThrow(/^KEY is empty or has spaces/)
  })
})
