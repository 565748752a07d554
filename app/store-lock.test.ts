import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
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
  })
  it('is freed by the system when its holder is killed', async () => {
    const path = join(folder, 'killed')
    const child = spawn(process.execPath, ['--input-type=module', '--eval', holder, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    expect(() => lockStore(path)).toThrow(expect.objectContaining({ code: 'CRY_STORE_LOCKED' }))
    child.kill('SIGKILL')
    await once(child, 'exit')
    lockStore(path)()
  })
})
