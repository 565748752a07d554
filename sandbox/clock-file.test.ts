import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { addMs, MINUTE, parseIso } from '../core/time.ts'
import { createClockFile, moveClockFile, openClockFile } from './clock-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'clock-file-'))
const start = parseIso('2026-11-30T23:59:00Z')
const make = (name: string): string => {
  const path = join(folder, name)
  createClockFile(path, start)
  return path
}
afterAll(() => rmSync(folder, { recursive: true }))

describe('clock file', () => {
  it('advances both times and jumps the wall alone', () => {
    const path = make('moves')
    const clock = openClockFile(path)
    moveClockFile(path, { advanceMs: 1.5 })
    expect([clock.now(), clock.monotonicMs()]).toEqual([addMs(start, 1.5), 1.5])
    moveClockFile(path, { jumpMs: -MINUTE })
    expect([clock.now(), clock.monotonicMs()]).toEqual([addMs(start, 1.5 - MINUTE), 1.5])
    expect(() => moveClockFile(path, { advanceMs: -1 })).toThrow('backwards')
    expect(readdirSync(folder)).toEqual(['moves'])
  })

  it('is one clock for two processes', async () => {
    const path = make('shared')
    const script = fileURLToPath(new URL('fixtures/clock-reader.ts', import.meta.url))
    const child = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'inherit'] })
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    expect((await lines.next()).value).toBe(`${start} 0`)
    // One millisecond short of its sleep: it must still be asleep, and wake by the second move only.
    moveClockFile(path, { advanceMs: MINUTE - 1 })
    moveClockFile(path, { jumpMs: 5 * MINUTE, advanceMs: 1 })
    expect((await lines.next()).value).toBe(`${addMs(start, 6 * MINUTE)} ${MINUTE}`)
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  it('sleeps by monotonic time, whatever the wall clock does', async () => {
    const path = make('sleep')
    const clock = openClockFile(path)
    let awake = false
    const asleep = clock.sleep(1_000).then(() => {
      awake = true
    })
    moveClockFile(path, { jumpMs: 60 * MINUTE })
    await new Promise(resolve => setTimeout(resolve, 10))
    expect(awake).toBe(false)
    moveClockFile(path, { advanceMs: 1_000 })
    await asleep
  })

  it('ends a sleep with an AbortError at once', async () => {
    const clock = openClockFile(make('abort'))
    const abort = new AbortController()
    const asleep = clock.sleep(MINUTE, abort.signal)
    abort.abort()
    await expect(asleep).rejects.toMatchObject({ name: 'AbortError' })
    await expect(clock.sleep(MINUTE, abort.signal)).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('refuses a file that is no clock', () => {
    const path = join(folder, 'no-clock')
    writeFileSync(path, 'hello')
    expect(() => openClockFile(path)).toThrow('is not a clock file')
    expect(() => openClockFile(join(folder, 'missing'))).toThrow('ENOENT')
  })
})
