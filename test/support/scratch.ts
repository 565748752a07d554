import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * A folder of a test's own, removed at the end of its scope. In memory where the system has such a place: a killed process loses
 * nothing of what the kernel has, so these tests do not need the disk, and thousands of synced commits would cost their time there.
 */
export function scratch(name: string): Disposable & { readonly path: string; file(name: string): string } {
  const path = mkdtempSync(join(memory() ?? tmpdir(), `cryptos-${name}-`))
  return {
    path,
    file: part => join(path, part),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }),
  }
}

function memory(): string | undefined {
  try {
    accessSync('/dev/shm', constants.W_OK)
    return '/dev/shm'
  } catch {
    return undefined
  }
}
