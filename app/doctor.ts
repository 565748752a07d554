import { existsSync, readdirSync, statfsSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { toCryptosError } from '../core/errors.ts'
import { systemClock } from '../host/clock.ts'
import { SqlDb } from '../host/sqlite.ts'
import type { Config } from './config/load.ts'
import { hint } from './mask.ts'
import { prepareFolder } from './stores.ts'

export interface Finding {
  readonly name: string
  readonly ok: boolean
  readonly what: string
}

const MIB = 1_048_576
const patience = 20
const pauseMs = 100
const leastFreeBytes = 200 * MIB

/** Looks at everything that can be looked at without calling a provider. */
export async function examine(config: Config): Promise<readonly Finding[]> {
  const folder = check('data folder', () => {
    prepareFolder(config.dataDir)
    return `${config.dataDir} is writable`
  })
  const rest = folder.ok
    ? [
        check('disk space', () => freeSpace(config.dataDir)),
        ...modes(config.dataDir),
        ...(await stores(config.dataDir)),
      ]
    : []
  return [nodeVersion(), folder, ...rest, await portFree(config), key(config)]
}

function check(name: string, work: () => string): Finding {
  try {
    return { name, ok: true, what: work() }
  } catch (error) {
    return { name, ok: false, what: toCryptosError(error).message }
  }
}

const nodeVersion = (): Finding => ({
  name: 'node',
  ok: true,
  what: `Node ${process.versions.node}, SQLite ${process.versions['sqlite'] ?? 'unknown'}`,
})

function freeSpace(folder: string): string {
  const stat = statfsSync(folder)
  const free = stat.bavail * stat.bsize
  if (free < leastFreeBytes) throw new Error(`only ${Math.floor(free / MIB)} MiB are free: make room`)
  return `${Math.floor(free / MIB)} MiB free`
}

function modes(folder: string): Finding[] {
  if (process.platform === 'win32') return []
  const open = (statSync(folder).mode & 0o077) !== 0
  return [
    {
      name: 'permissions',
      ok: !open,
      what: open ? `${folder} can be entered by others: chmod 700 it` : 'only you can enter the data folder',
    },
  ]
}

async function stores(folder: string): Promise<Finding[]> {
  const files = ['live', 'sandbox'].flatMap(kind => {
    const inside = join(folder, kind)
    return existsSync(inside)
      ? readdirSync(inside)
          .filter(f => f.endsWith('.db'))
          .map(f => join(inside, f))
      : []
  })
  return Promise.all(files.map(lookAt))
}

/** A database that another process is just closing is busy for a moment, not ill. */
async function lookAt(file: string): Promise<Finding> {
  for (let left = patience; ; left -= 1) {
    try {
      return { name: file, ok: true, what: integrity(file) }
    } catch (error) {
      const { code, message } = toCryptosError(error)
      if (code !== 'CRY_STORE_BUSY' || left === 0) return { name: file, ok: false, what: message }
    }
    await systemClock.sleep(pauseMs)
  }
}

function integrity(file: string): string {
  const db = new SqlDb(file, { synchronous: 'NORMAL', readOnly: true })
  try {
    const answer = String(db.prepare('PRAGMA quick_check(1)').get()?.['quick_check'])
    if (answer !== 'ok') throw new Error(`damaged: ${answer}; restore it or move the folder away`)
    return 'whole'
  } finally {
    db.close()
  }
}

function portFree(config: Config): Promise<Finding> {
  return new Promise(resolve => {
    const server = createServer()
    const answer = (ok: boolean, what: string): void => resolve({ name: 'port', ok, what })
    server.once('error', error =>
      answer(
        false,
        `port ${config.port} can not be used (${(error as NodeJS.ErrnoException).code}): choose another with --port or CRYPTOS_PORT`,
      ),
    )
    server.listen(config.port, config.host, () =>
      server.close(() => answer(true, `port ${config.port} is free`)),
    )
  })
}

function key(config: Config): Finding {
  const value = config.secrets.coinmarketcapApiKey
  const what =
    value === undefined
      ? 'no CoinMarketCap key is set: its keyless endpoints are used'
      : `CoinMarketCap key ${hint(value)}`
  return { name: 'key', ok: true, what }
}
