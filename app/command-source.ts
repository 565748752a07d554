import type { Context } from './commands/command.ts'
import { liveSource, type Source, sandboxSource, settledKind } from './source.ts'

type Opened = Source & { close(): Promise<void> }

/** The source of a command that calls providers: the sandbox that is set, else that of an `up` which runs, else one of its own. */
export async function openCommandSource(context: Context): Promise<Opened> {
  const found = await findCommandSource(context)
  if (found) return found
  const { startSandboxFor } = await import('./sandbox.ts')
  const sandbox = await startSandboxFor(context)
  return { ...sandboxSource(context.config, sandbox.url), close: () => sandbox.close() }
}

/** The same without one of its own: undefined where simulated data are wanted and no sandbox runs. */
export async function findCommandSource({ config }: Pick<Context, 'config'>): Promise<Opened | undefined> {
  const close = async (): Promise<void> => undefined
  if (settledKind(config) === 'live') return { ...liveSource(config), close }
  const url = config.sandboxUrl ?? (await sandboxBeside(sandboxSource(config, '').folder))
  return url === undefined ? undefined : { ...sandboxSource(config, url), close }
}

async function sandboxBeside(folder: string): Promise<string | undefined> {
  const { runningSandbox } = await import('./running-sandbox.ts')
  return await runningSandbox(folder)
}
