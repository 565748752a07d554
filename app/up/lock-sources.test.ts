import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { loadConfig } from '../config/load.ts'
import { liveSource, sandboxSource } from '../source.ts'
import { lockStore } from '../store-lock.ts'
import { lockSources } from './lock-sources.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cryptos-locks-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const auto = () => loadConfig({ CRYPTOS_DATA_DIR: folder, CRYPTOS_SOURCE: 'auto' })
const isLocked = (path: string): boolean => {
  try {
    lockStore(path)()
    return false
  } catch {
    return true
  }
}

it('holds live until the choice is made, then the chosen one alone', () => {
  const config = auto()
  const locks = lockSources(config)
  const [live, sandbox] = [liveSource(config).folder, sandboxSource(config, '').folder]
  expect([isLocked(live), existsSync(sandbox)]).toEqual([true, false])
  locks.keepOnly(sandboxSource(config, ''))
  expect([isLocked(live), isLocked(sandbox)]).toEqual([false, true])
  locks.release()
  expect([isLocked(live), isLocked(sandbox)]).toEqual([false, false])
})

it('refuses a second one before it has called anybody, whichever source the first came to', () => {
  const config = auto()
  const first = lockSources(config)
  expect(() => lockSources(config)).toThrow(/another cryptos/)
  first.keepOnly(sandboxSource(config, ''))
  expect(() => lockSources(config)).toThrow(/another cryptos already works on .*sandbox/)
  // The refused one holds nothing.
  expect(isLocked(liveSource(config).folder)).toBe(false)
  first.release()
  lockSources(config).release()
})
