import { cpSync, rmSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { type Plugin, rolldown } from 'rolldown'

const root = join(import.meta.dirname, '..')

/** With all that these import: one file to open instead of a dozen, for the one command that is run each minute. */
const collectPath = /\/app\/(main|commands\/collect)\.ts$|\/axios\.cjs$/

/**
 * Hides from axios what Node loads at the first look. It looks for fetch and its kin, for an adapter that is not used here, and
 * that look alone brings all of undici: 50 ms of each `cryptos collect`.
 */
const axiosWithoutFetch: Plugin = {
  name: 'axios-without-fetch',
  transform: {
    filter: { id: /axios\/dist\/browser\/axios\.cjs$/ },
    handler: code =>
      `const globalThis = {}; let fetch, FormData, Headers, Request, Response, navigator, performance, self, window;\n${code}`,
  },
}

/**
 * Takes Node's own modules as they are: an import makes a second module of each, which reads every export, lazy ones too. The
 * program starts no other program; commander and node-cron could, so that they find an empty module.
 */
const builtins: Plugin = {
  name: 'builtins',
  resolveId: source => (isBuiltin(source) && source !== 'node:module' ? `\0${source}` : undefined),
  load(id) {
    if (!isBuiltin(id.slice(1))) return undefined
    const name = id.slice(1).replace(/^(?:node:)?/, 'node:')
    return name === 'node:child_process'
      ? 'module.exports = {}'
      : `module.exports = process.getBuiltinModule('${name}')`
  },
}

/**
 * Builds the published program into `outDir`: few files instead of hundreds, because a scheduled `cryptos collect` pays for every
 * file that Node opens. A clone runs its sources and needs no build. pino brings worker files of its own and stays a dependency.
 *
 * @param more entries beside those of the program, as name: source file
 */
export async function buildProgram(
  outDir = join(root, 'dist'),
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  rmSync(outDir, { recursive: true, force: true })
  const build = await rolldown({
    cwd: root,
    input: { main: 'app/main.ts', thread: 'app/pipeline/thread.ts', ...more },
    platform: 'node',
    // Drivers of servers are loaded only where there are servers: as their packages, they cost nobody else anything.
    external: ['pino', 'node:module', 'kafkajs', 'cassandra-driver', '@influxdata/influxdb-client', 'pg'],
    resolve: { alias: { bottleneck: 'bottleneck/light.js' } },
    plugins: [builtins, axiosWithoutFetch],
  })
  await build.write({
    dir: outDir,
    format: 'esm',
    minify: true,
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    codeSplitting: { groups: [{ name: 'collect', test: collectPath }] },
  })
  await build.close()
  cpSync(join(root, 'dashboards', 'web', 'public'), join(outDir, 'public'), {
    recursive: true,
    filter: from => !from.endsWith('tsconfig.json'),
  })
  cpSync(join(root, 'processors', 'sinks', 'cassandra', 'schema'), join(outDir, 'schema'), {
    recursive: true,
  })
}

if (import.meta.main) await buildProgram()
