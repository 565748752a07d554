import { existsSync, readdirSync, statfsSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { providers } from '../collectors/registry.ts'
import { toCryptosError } from '../core/errors.ts'
import { systemClock } from '../host/clock.ts'
import { SqlDb } from '../host/sqlite.ts'
import { checkNames } from './check-names.ts'
import type { Config, Problem } from './config/load.ts'
import { hint } from './mask.ts'
import { isOwnPage } from './own-page.ts'
import { settledKind } from './source.ts'
import { sourceViews } from './source-views.ts'
import { servers } from './doctor-servers.ts'
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
export async function examine(
  config: Config,
  problems: readonly Problem[] = [],
): Promise<readonly Finding[]> {
  const folder = check('data folder', () => {
    prepareFolder(config.dataDir)
    return `${config.dataDir} is writable`
  })
  const rest = folder.ok
    ? [
        check('disk space', () => freeSpace(config.dataDir)),
        ...modes(config.dataDir),
        ...(await stores(config.dataDir)),
        ...(problems.length === 0 ? await servers(config) : []),
      ]
    : []
  const badSettings = problems.map(({ about, error }) => ({ name: about, ok: false, what: error.message }))
  const keyFindings = problems.some(p => p.about === 'key') ? [] : [key(config)]
  return [
    nodeVersion(),
    ...badSettings,
    ...names(config),
    folder,
    ...rest,
    await port(config),
    ...keyFindings,
  ]
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

async function port(config: Config): Promise<Finding> {
  const { port: number } = config
  const why = await whyTaken(config)
  const answer = (ok: boolean, what: string): Finding => ({ name: 'port', ok, what })
  if (why === undefined)
    return answer(true, number === 0 ? 'any free port is taken' : `port ${number} is free`)
  if (why === 'EADDRINUSE' && (await isOwnPage(config)))
    return answer(true, `port ${number} is used by the cryptos that runs already`)
  return answer(false, `port ${number} can not be used (${why}): choose another with --port or CRYPTOS_PORT`)
}

/** The code of what keeps one from listening, or nothing. */
function whyTaken({ port: number, host }: Config): Promise<string | undefined> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', error => resolve((error as NodeJS.ErrnoException).code ?? 'unknown'))
    server.listen(number, host, () => server.close(() => resolve(undefined)))
  })
}

/** Names that nobody has, and the sources that are closed. */
function names(config: Config): Finding[] {
  const checked = check('providers', () => {
    checkNames(config)
    const on = sourceViews(config, { kind: settledKind(config) }).filter(view => view.isOn)
    return `${on.map(view => view.provider).join(', ')} (cryptos providers tells more)`
  })
  if (!checked.ok) return [checked]
  const closed = sourceViews(config, { kind: 'live' }).filter(v => v.offSince !== null)
  return [checked, ...closed.map(view => ({ name: view.provider, ok: true, what: view.why ?? '' }))]
}

function key(config: Config): Finding {
  const told = providers.flatMap(({ id, title }) => {
    const value = config.secrets[id]
    return value === undefined ? [] : [`${title} key ${hint(value)}`]
  })
  const what = told.length === 0 ? 'no key is set: only keyless endpoints are used' : told.join(', ')
  return { name: 'key', ok: true, what }
}
