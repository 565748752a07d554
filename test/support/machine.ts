import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Every file below a folder. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map(name => join(folder, name))
    .filter(path => statSync(path).isFile())
    .sort((a, b) => (a < b ? -1 : 1))
}

/** Hashes of the databases below a folder, to see whether anything was lost. */
export const databases = (folder: string): Record<string, string> =>
  Object.fromEntries(
    filesBelow(folder)
      .filter(path => path.endsWith('.db') && !path.endsWith('lock.db'))
      .map(path => [path, createHash('sha256').update(readFileSync(path)).digest('hex')]),
  )

/** Whether this machine lets a test mount and unplug things for one command. */
export function mayUnshare(...what: readonly string[]): boolean {
  const tried = spawnSync('unshare', [...what, 'true'], { stdio: 'ignore' })
  const may = tried.status === 0
  if (!may) console.warn(`SKIPPED: unshare ${what.join(' ')} is not permitted here`)
  return may
}

/** At most so many programs at a time: they share the machine with the other tests. */
export async function inTurn<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
  width = 3,
): Promise<R[]> {
  const results: R[] = []
  const queue = [...items.entries()]
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) results[next[0]] = await work(next[1])
  }
  await Promise.all(Array.from({ length: width }, worker))
  return results
}
