import { writeSync } from 'node:fs'
import { SECOND } from '../core/time.ts'

const graceMs = 3 * SECOND

/**
 * For when all work is done and closed, and the result is told: what a client library has left open must not keep the process alive.
 * (The driver of Cassandra was seen to, after its server was killed.) Output that nobody has read yet is waited for.
 */
export function endSoon(): void {
  setInterval(() => {
    if (process.stdout.writableLength > 0 || process.stderr.writableLength > 0) return
    const open = [...new Set(process.getActiveResourcesInfo())].join(', ')
    writeSync(
      process.stderr.fd,
      `cryptos: still open ${graceMs / SECOND} s after the end, and cut: ${open}\n`,
    )
    process.exit()
  }, graceMs).unref()
}
