import { existsSync } from 'node:fs'
import type { Config } from '../config/load.ts'
import { hasKey, liveSource, type Source, sandboxSource } from '../source.ts'
import { lockStore } from '../store-lock.ts'

export interface SourceLocks {
  /** Frees the others; locks this one if it was not yet. @throws CryptosError CRY_STORE_LOCKED */
  keepOnly(source: Source): void
  release(): void
}

/**
 * Locks every source's folder that `up` may come to work on. One that is not there yet is used by nobody, and is not made here.
 * @throws CryptosError CRY_STORE_LOCKED
 */
export function lockSources(config: Config): SourceLocks {
  const held = new Map<string, () => void>()
  const lock = (folder: string): void => void (held.has(folder) || held.set(folder, lockStore(folder)))
  const release = (folder?: string): void => {
    for (const [name, free] of held) if (name !== folder && held.delete(name)) free()
  }
  try {
    for (const { kind, folder } of candidates(config)) if (kind === 'live' || existsSync(folder)) lock(folder)
  } catch (error) {
    release()
    throw error
  }
  return {
    keepOnly: ({ folder }) => {
      lock(folder)
      release(folder)
    },
    release: () => release(),
  }
}

function candidates(config: Config): readonly Source[] {
  const live = liveSource(config)
  const sandbox = sandboxSource(config, '')
  if (config.source === 'sandbox') return [sandbox]
  return config.source === 'live' || hasKey(config) ? [live] : [live, sandbox]
}
