import { createHash, randomUUID } from 'node:crypto'
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CryptosError } from '../../core/errors.ts'
import type { ProcessId } from './processes.ts'
import { identify, isAlive } from './processes.ts'

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code

/** undefined = the file is not there, or went away just now. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined
    throw error
  }
}

/** A lock appears with its whole text, so one that can not be read is of nobody. */
function isHeld(text: string): boolean {
  try {
    const id = JSON.parse(text) as Partial<ProcessId> | null
    return typeof id?.startedAt === 'string' && isAlive({ pid: Number(id.pid), startedAt: id.startedAt })
  } catch {
    return false
  }
}

/** The text that only this taking has; undefined = another process holds the lock. */
function take(file: string): string | undefined {
  const found = readIfThere(file)
  if (found !== undefined && isHeld(found)) return undefined
  if (found !== undefined) removeStale(file, found)
  const mark = randomUUID()
  const own = JSON.stringify({ ...identify(process.pid), mark })
  const whole = `${file}.${mark}`
  writeFileSync(whole, own)
  try {
    linkSync(whole, file)
    return own
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    return undefined
  } finally {
    rmSync(whole, { force: true })
  }
}

/** Only who holds the lock of this one text may remove it: whoever was slower would remove the lock that came after it. */
function removeStale(file: string, found: string): void {
  const right = `${file}.${createHash('sha256').update(found).digest('hex').slice(0, 16)}`
  const own = take(right)
  if (own === undefined) return
  try {
    if (readIfThere(file) === found) rmSync(file, { force: true })
  } finally {
    release(right, own)
  }
}

function release(file: string, own: string): void {
  if (readIfThere(file) === own) rmSync(file, { force: true })
}

/**
 * Runs `work` while no other process starts or stops servers in the folder; a lock of a dead process holds nothing back.
 * @throws CryptosError CRY_SERVER_BUSY when another one holds it longer than `limitMs`
 */
export async function locked<T>(folder: string, work: () => Promise<T>, limitMs = 300_000): Promise<T> {
  const file = join(folder, 'stack.lock')
  const until = performance.now() + limitMs
  let own = take(file)
  while (own === undefined) {
    if (performance.now() > until) {
      throw new CryptosError('CRY_SERVER_BUSY', `another run starts or stops servers in ${folder}`)
    }
    await sleep(50)
    own = take(file)
  }
  try {
    return await work()
  } finally {
    release(file, own)
  }
}
