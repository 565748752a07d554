import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { parseIso } from '../core/time.ts'
import { VirtualClock } from '../core/virtual-clock.ts'
import { startSandbox } from '../sandbox/server.ts'
import { noteSandbox, runningSandbox } from './running-sandbox.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cryptos-note-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

it('is found while it runs and its note is there', async () => {
  expect(await runningSandbox(folder)).toBeUndefined()
  const sandbox = await startSandbox({ clock: new VirtualClock(parseIso('2026-11-21T12:00:30Z')) })
  const takeBack = noteSandbox(folder, sandbox.url)
  expect(await runningSandbox(folder)).toBe(sandbox.url)
  await sandbox.close()
  expect(await runningSandbox(folder)).toBeUndefined()
  takeBack()
  takeBack()
  expect(readdirSync(folder)).toEqual([])
})

it.each(['', 'http://127.0.0.1:1', 'http://example.test:80', 'http://127.0.0.1:80/x', 'file:///etc/passwd'])(
  'is not looked for at %j',
  async url => {
    writeFileSync(join(folder, 'sandbox.url'), url)
    expect(await runningSandbox(folder)).toBeUndefined()
  },
)
