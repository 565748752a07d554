import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { lockStore } from './store-lock.ts'

const folder = mkdtempSync(join(tmpdir(), 'cryptos-lock-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const holder = `import { lockStore } from ${JSON.stringify(join(import.meta.dirname, 'store-lock.ts'))}
lockStore(process.argv[1])
process.stdout.write('held')
setInterval(() => undefined, 1000)`

describe('the lock of a data folder', () => {
  it('refuses a second holder with what to do, and is free again afterwards', () => {
    const path = join(folder, 'one')
    const free = lockStore(path)
    expect(() => lockStore(path)).toThrow(
      expect.objectContaining({
        code: 'CRY_STORE_LOCKED',
        message: `another cryptos already works on ${path}: stop it, or set CRYPTOS_DATA_DIR to another folder`,
      }),
    )
    free()
    lockStore(path)()
  })
  it('holds one folder only', () => {
    const free = [lockStore(join(folder, 'a')), lockStore(join(folder, 'b'))]
    for (const each of free) each()
  })
  it.skipIf(process.platform === 'win32')('is private to the user', () => {
    const path = join(folder, 'private')
    lockStore(path)()
    expect(statSync(path).mode & 0o777).toBe(0o700)
    expect(statSync(join(path, 'lock.db')).mode & 0o777).toBe(0o600)
    const free = lockStore(path)
    expect(statSync(join(path, 'lock.pid')).mode & 0o777).toBe(0o600)
    free()
    expect(existsSync(join(path, 'lock.pid'))).toBe(false)
  })
  it('is held where nothing can be written about its holder', () => {
    const path = join(folder, 'nameless')
    mkdirSync(join(path, 'lock.pid'), { recursive: true })
    const free = lockStore(path)
    expect(() => lockStore(path)).toThrow(/^another cryptos already works on /)
    free()
    lockStore(path)()
  })
  it('names its holder, and only one that still runs; it is freed by the system when its holder is killed', async () => {
    const path = join(folder, 'killed')
    const child = spawn(process.execPath, ['--input-type=module', '--eval', holder, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    const file = join(path, 'lock.pid')
    const right = readFileSync(file, 'utf8')
    const refusal = (who: string): unknown =>
      expect.objectContaining({
        code: 'CRY_STORE_LOCKED',
        message: expect.stringMatching(new RegExp(`^${who} already works on `)),
      })
    expect(() => lockStore(path)).toThrow(refusal(`another cryptos \\(PID ${child.pid}\\)`))
    // As another holder, a cut-off write or somebody else's program of the same number left it.
    for (const text of [
      '2147483646 1\n',
      `${process.pid} -\n`,
      '',
      `${child.pid} `,
      right.replace(/ .*/, ' 1'),
    ]) {
      writeFileSync(file, text)
      expect(() => lockStore(path), text).toThrow(refusal('another cryptos'))
    }
    writeFileSync(file, right)
    child.kill('SIGKILL')
    await once(child, 'exit')
    const free = lockStore(path)
    expect(readFileSync(file, 'utf8')).toMatch(new RegExp(`^${process.pid} `))
    free()
  })
})
