import type { Config } from './config/load.ts'
import { liveSource, type Source, sandboxSource, settledKind } from './source.ts'

/** The source of a command that works on what is stored and calls nobody. */
export function settledSource(config: Config): Source {
  return settledKind(config) === 'live' ? liveSource(config) : sandboxSource(config, config.sandboxUrl ?? '')
}
