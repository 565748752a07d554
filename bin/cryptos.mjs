#!/usr/bin/env node
// Plain JavaScript that any Node since 18 can read: finds a Node that is new enough, then runs the program in it.
import { existsSync } from 'node:fs'
import * as nodeModule from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const newEnough = major > 22 || (major === 22 && minor >= 13)

if (newEnough) await runHere()
else await runInPinnedNode()

async function runHere() {
  // The variable is for the worker thread, which has a cache handler of its own.
  process.env.NODE_COMPILE_CACHE ??= join(root, 'node_modules', '.cache', 'cryptos')
  // A namespace import, because a named one of a missing export would not even link on an old Node.
  nodeModule.enableCompileCache?.(process.env.NODE_COMPILE_CACHE)
  const source = join(root, 'app', 'main.ts')
  const program = existsSync(source) ? source : join(root, 'dist', 'main.js')
  const { main } = await import(pathToFileURL(program).href)
  await main(process.argv.slice(2))
}

function pinnedNode() {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
  try {
    const folder = dirname(nodeModule.createRequire(import.meta.url).resolve(`${name}/package.json`))
    return join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  } catch (error) {
    if (error.code !== 'MODULE_NOT_FOUND') throw error
    return undefined
  }
}

async function runInPinnedNode() {
  const node = process.env.CRYPTOS_LAUNCHED ? undefined : pinnedNode()
  if (!node) {
    process.stderr.write(
      `cryptos needs Node 22.13 or newer; this is ${process.versions.node}. Install a newer Node, or run "npm ci" in the clone.\n`,
    )
    process.exit(2)
  }
  const { spawn } = await import('node:child_process')
  const child = spawn(node, [...process.execArgv, ...process.argv.slice(1)], {
    stdio: 'inherit',
    env: { ...process.env, CRYPTOS_LAUNCHED: '1' },
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)))
}
