import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const fileIn = (folder: string): string => join(folder, 'lock.pid')

/** Writes who holds the lock of the folder; only its holder may call it. Best effort: a full disk keeps nobody from the lock. */
export function rememberHolder(folder: string): void {
  quietly(() =>
    writeFileSync(fileIn(folder), `${process.pid} ${startOf(process.pid) ?? '-'}\n`, { mode: 0o600 }),
  )
}

export function forgetHolder(folder: string): void {
  quietly(() => rmSync(fileIn(folder), { force: true }))
}

/**
 * The PID in the folder's file if that process runs still, and is the one that wrote it: after a kill the file stays, and its number
 * may be another program's, or belong to another container.
 */
export function holderOf(folder: string): number | undefined {
  const text = quietly(() => readFileSync(fileIn(folder), 'utf8')) ?? ''
  const [, digits, start] = /^([1-9]\d{0,9}) (\d+|-)\n$/.exec(text) ?? []
  if (digits === undefined) return undefined
  const pid = Number(digits)
  if (pid === process.pid || !runs(pid)) return undefined
  return (startOf(pid) ?? '-') === start ? pid : undefined
}

/** EPERM means that it runs, for another user. */
function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** When a process started, in ticks since the boot: the 22nd field of proc(5) stat. Only Linux tells. */
function startOf(pid: number): string | undefined {
  const stat = quietly(() => readFileSync(`/proc/${pid}/stat`, 'latin1'))
  // The name in parentheses may hold anything, so fields are counted from its end: the next is the third.
  return stat
    ?.slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .at(22 - 3)
}

/** The PID is a courtesy: whatever fails here, the lock itself holds. */
function quietly<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}
