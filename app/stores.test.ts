import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { prepareFolder } from './stores.ts'

const root = mkdtempSync(join(tmpdir(), 'cryptos-stores-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

describe.skipIf(process.platform !== 'linux')('a data folder in a file system of the kernel', () => {
  // Without the check the first of these never comes back: Node's recursive mkdir asks /proc for ever.
  it.each(['/proc/self/x/y', '/proc', '/sys/x', '/dev/x', '/dev/null/x', '/tmp/../proc/x/y'])(
    'is refused up front: %s',
    folder => {
      expect(() => prepareFolder(folder)).toThrow(/lies in a file system of the kernel.*set CRYPTOS_DATA_DIR/)
    },
  )
  it('is refused behind a link too', () => {
    symlinkSync('/proc/self', join(root, 'link'))
    expect(() => prepareFolder(join(root, 'link', 'x'))).toThrow(/lies in a file system of the kernel/)
  })
  it('is not what only sounds like one', () => {
    for (const name of ['proc', 'dev', 'process']) prepareFolder(join(root, name, 'x'))
  })
})
