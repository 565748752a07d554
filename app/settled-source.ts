import { existsSync } from 'node:fs'
import type { Context } from './commands/command.ts'
import { hasData } from './has-data.ts'
import { liveSource, type Source, sandboxSource, settledKind } from './source.ts'

/** The source of a command that works on what is stored and calls nobody. Says so where the other one has the data. */
export function settledSource({ config, note }: Pick<Context, 'config' | 'note'>): Source {
  const live = liveSource(config)
  const sandbox = sandboxSource(config, config.sandboxUrl ?? '')
  const [chosen, other] = settledKind(config) === 'live' ? [live, sandbox] : [sandbox, live]
  if (existsSync(other.folder) && !hasData(chosen.folder) && hasData(other.folder))
    note(`looking at ${chosen.folder} (no data there yet; --source ${other.kind} has some)`)
  return chosen
}
