import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Origin } from '../core/records.ts'
import type { Config } from './config/load.ts'
import { providerKeys } from './config/provider-keys.ts'

/** Where the data come from. Live and simulated data never share a folder. */
export interface Source {
  readonly kind: 'live' | 'sandbox'
  readonly origin: Origin
  /** Folder of this source's ledger, log and store. */
  readonly folder: string
  /** Base of the simulator; providers have a path each below it. */
  readonly sandboxUrl?: string
}

export const bannerText = 'These are not real prices: no live source answered, or none was asked for.'

const reminder = (config: Config): string => join(config.dataDir, 'source')

export const liveSource = (config: Config): Source => ({
  kind: 'live',
  origin: 'live',
  folder: join(config.dataDir, 'live'),
})

export const sandboxSource = (config: Config, sandboxUrl: string): Source => ({
  kind: 'sandbox',
  origin: 'sandbox',
  folder: join(config.dataDir, 'sandbox'),
  sandboxUrl,
})

/** With any provider key set, simulated data are never turned to by themselves. */
export const hasKey = (config: Config): boolean =>
  Object.keys(config.secrets).some(name => name in providerKeys)

/** Notes which source `up` took, so that `quota status` and the like look at the same data. */
export function rememberSource(config: Config, kind: Source['kind']): void {
  const file = reminder(config)
  writeFileSync(`${file}.${process.pid}`, kind, { mode: 0o600 })
  renameSync(`${file}.${process.pid}`, file)
}

/** The same for the first `collect` of a data folder, before any `up`. */
export function rememberFirstSource(config: Config, kind: Source['kind']): void {
  if (!existsSync(reminder(config))) rememberSource(config, kind)
}

/** The source of a command that must not ask the network: as told, else with a key live, else as `up` took it last (or `collect` first). */
export function settledKind(config: Config): Source['kind'] {
  if (config.source !== 'auto') return config.source
  if (hasKey(config)) return 'live'
  if (config.sandboxUrl !== undefined) return 'sandbox'
  return rememberedKind(config)
}

/** What `up` took last; live where it never ran. */
export function rememberedKind(config: Config): Source['kind'] {
  const file = reminder(config)
  return existsSync(file) && readFileSync(file, 'utf8') === 'sandbox' ? 'sandbox' : 'live'
}
