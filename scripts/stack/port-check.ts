import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createServer } from 'node:net'

/** Whether one can listen on the port of 127.0.0.1 now. */
export const isFree = (port: number): Promise<boolean> =>
  new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })

export async function firstTaken(ports: readonly number[]): Promise<number | undefined> {
  for (const port of ports) if (!(await isFree(port))) return port
  return undefined
}

function inodesOf(port: number): Set<string> {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const found = new Set<string>()
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    if (!existsSync(table)) continue
    for (const line of readFileSync(table, 'utf8').split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/)
      // 0A is LISTEN.
      if (fields[1]?.endsWith(wanted) && fields[3] === '0A' && fields[9]) found.add(`socket:[${fields[9]}]`)
    }
  }
  return found
}

const quietly = <T>(look: () => T, otherwise: T): T => {
  try {
    return look()
  } catch {
    // Processes end while one looks, and those of other users may not be looked into.
    return otherwise
  }
}

/** Who listens on the port, as `pid 12 (java)`; undefined where the system does not tell. */
export function holderOf(port: number): string | undefined {
  const inodes = inodesOf(port)
  if (inodes.size === 0) return undefined
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    const files = quietly(() => readdirSync(`/proc/${pid}/fd`), [])
    if (!files.some(fd => inodes.has(quietly(() => readlinkSync(`/proc/${pid}/fd/${fd}`), '')))) continue
    return `pid ${pid} (${quietly(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trim(), 'unknown')})`
  }
  return undefined
}
