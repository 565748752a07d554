import type { Context } from './commands/command.ts'
import { liveSource, type Source, sandboxSource, settledKind } from './source.ts'

/** The source of a command that calls providers: a sandbox is started where none runs. */
export async function openCommandSource(context: Context): Promise<Source & { close(): Promise<void> }> {
  const { config } = context
  if (settledKind(config) === 'live') return { ...liveSource(config), close: async () => undefined }
  if (config.sandboxUrl !== undefined)
    return { ...sandboxSource(config, config.sandboxUrl), close: async () => undefined }
  const { startSandboxFor } = await import('./sandbox.ts')
  const sandbox = await startSandboxFor(context)
  return { ...sandboxSource(config, sandbox.url), close: () => sandbox.close() }
}
