import { cpSync, rmSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import { rolldown } from 'rolldown'

const root = join(import.meta.dirname, '..')

/**
 * Builds the published program into `outDir`: few files instead of hundreds, because a scheduled `cryptos collect` pays for every
 * file that Node opens. A clone runs its sources and needs no build. pino brings worker files of its own and stays a dependency.
 */
export async function buildProgram(outDir = join(root, 'dist')): Promise<void> {
  rmSync(outDir, { recursive: true, force: true })
  const build = await rolldown({
    cwd: root,
    input: { main: 'app/main.ts', thread: 'app/pipeline/thread.ts' },
    platform: 'node',
    external: [/^node:/, ...builtinModules, 'pino'],
    onLog: (level, log, handle) => (log.code === 'EVAL' ? undefined : handle(level, log)),
  })
  await build.write({
    dir: outDir,
    format: 'esm',
    minify: true,
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
  })
  await build.close()
  cpSync(join(root, 'dashboards', 'web', 'public'), join(outDir, 'public'), {
    recursive: true,
    filter: from => !from.endsWith('tsconfig.json'),
  })
}

if (import.meta.main) await buildProgram()
