import { spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { writeWhole } from './whole-file.ts'

const root = mkdtempSync(join(tmpdir(), 'cryptos-whole-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let folder = ''
let folders = 0
beforeEach(() => {
  folders += 1
  folder = join(root, String(folders))
  mkdirSync(folder)
})

async function* lines(fails = false): AsyncGenerator<string> {
  yield 'one\n'
  yield 'x'.repeat(200_000)
  if (fails) throw new Error('the store broke')
  yield '\ntwo\n'
}
const whole = `one\n${'x'.repeat(200_000)}\ntwo\n`
const read = (name: string): string => readFileSync(join(folder, name), 'utf8')

describe('a file that is written whole', () => {
  it('is there with all of its lines, private, and alone', async () => {
    await writeWhole(lines(), join(folder, 'new'))
    expect([read('new'), readdirSync(folder)]).toEqual([whole, ['new']])
    if (process.platform !== 'win32') expect(statSync(join(folder, 'new')).mode & 0o777).toBe(0o600)
  })
  it('is as it was, or not there, where the lines end early', async () => {
    writeFileSync(join(folder, 'old'), 'mine')
    for (const name of ['old', 'new'])
      await expect(writeWhole(lines(true), join(folder, name))).rejects.toThrow('the store broke')
    expect([read('old'), readdirSync(folder)]).toEqual(['mine', ['old']])
  })
  it('shows nothing of itself before the end', async () => {
    writeFileSync(join(folder, 'old'), 'mine')
    async function* looking(): AsyncGenerator<string> {
      yield* lines()
      expect(read('old')).toBe('mine')
    }
    await writeWhole(looking(), join(folder, 'old'))
    expect(read('old')).toBe(whole)
  })
  it.skipIf(process.platform === 'win32')(
    'keeps the permissions and the links of what it replaces',
    async () => {
      writeFileSync(join(folder, 'old'), 'mine')
      chmodSync(join(folder, 'old'), 0o644)
      symlinkSync('old', join(folder, 'link'))
      await writeWhole(lines(), join(folder, 'link'))
      expect([read('old'), statSync(join(folder, 'old')).mode & 0o777]).toEqual([whole, 0o644])
      expect(lstatSync(join(folder, 'link')).isSymbolicLink()).toBe(true)
      symlinkSync('later', join(folder, 'dangling'))
      await writeWhole(lines(), join(folder, 'dangling'))
      expect(read('later')).toBe(whole)
      expect(readdirSync(folder).sort()).toEqual(['dangling', 'later', 'link', 'old'])
    },
  )
  it.skipIf(process.platform === 'win32')('does not replace a device or a pipe, nor a folder', async () => {
    await writeWhole(lines(), '/dev/null')
    expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true)
    await expect(writeWhole(lines(), folder)).rejects.toMatchObject({ code: 'EISDIR' })
    const pipe = join(folder, 'pipe')
    expect(spawnSync('mkfifo', [pipe]).status).toBe(0)
    const reader = spawn('cat', [pipe], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [seen] = await Promise.all([text(reader.stdout), writeWhole(lines(), pipe)])
    expect(seen).toBe(whole)
    expect(lstatSync(pipe).isFIFO()).toBe(true)
  })
})
