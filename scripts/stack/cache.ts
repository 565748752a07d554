import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

/** Where downloads and builds stay between runs and clones. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const chosen = env['CRYPTOS_STACK_CACHE']
  if (chosen) return join(resolve(chosen), 'cryptos-stack')
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'cryptos-stack')
}

export const shortHash = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, 12)

const marker = '.complete'

export const isCached = (name: string): boolean => existsSync(join(cacheFolder(), name, marker))

const underWay = new Map<string, Promise<string>>()

/**
 * The folder `name` of the cache, built if it is not there. It is built aside and renamed, so two runs may build at once
 * and a run that is killed leaves nothing that looks complete.
 */
export function cached(name: string, build: (folder: string) => Promise<void>): Promise<string> {
  const known = underWay.get(name) ?? obtain(name, build).finally(() => underWay.delete(name))
  underWay.set(name, known)
  return known
}

async function obtain(name: string, build: (folder: string) => Promise<void>): Promise<string> {
  const target = join(cacheFolder(), name)
  if (isCached(name)) return target
  const aside = `${target}.${process.pid}-${randomBytes(4).toString('hex')}`
  mkdirSync(aside, { recursive: true })
  try {
    await build(aside)
    writeFileSync(join(aside, marker), `${new Date().toISOString()}\n`)
    moveInto(aside, target)
  } finally {
    rmSync(aside, { recursive: true, force: true })
  }
  return target
}

function moveInto(aside: string, target: string): void {
  try {
    renameSync(aside, target)
  } catch (error) {
    // Another run was first: its build is as good.
    if (!existsSync(join(target, marker))) throw error
  }
}
