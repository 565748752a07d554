#!/usr/bin/env node
// Plain JavaScript that any Node since 18 can read: finds a Node that is new enough, then runs the program in it.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const newEnough = major > 22 || (major === 22 && minor >= 13)

if (newEnough) await runHere()
else await runInPinnedNode()

async function runHere() {
  if (process.env.CRYPTOS_LAUNCHED) endWithLauncher()
  // Not imported: an import reads every export of a module of Node, and with some of them loads much that is not needed here.
  const { existsSync } = process.getBuiltinModule('node:fs')
  const { enableCompileCache } = process.getBuiltinModule('node:module')
  const { fileURLToPath } = process.getBuiltinModule('node:url')
  // The variable is for the worker thread, which has a cache handler of its own.
  process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('../node_modules/.cache/cryptos', import.meta.url))
  enableCompileCache(process.env.NODE_COMPILE_CACHE)
  const source = new URL('../app/main.ts', import.meta.url)
  const program = existsSync(source) ? source : new URL('../dist/main.js', import.meta.url)
  const { runProgram } = await import(program.href)
  await runProgram(process.argv.slice(2))
}

/**
 * A launcher that is killed with -9 can pass nothing on, but its end of the channel closes: then this process ends as at SIGTERM.
 * The listener is what makes the channel keep a process alive, so the channel is unreferenced after it.
 */
function endWithLauncher() {
  if (process.connected === undefined) return
  const end = () => process.emit('SIGTERM', 'SIGTERM') || process.exit(143)
  process.on('disconnect', end)
  process.channel?.unref()
  if (!process.connected) end()
}

async function pinnedNode() {
  const { createRequire } = await import('node:module')
  const { dirname, join } = await import('node:path')
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
  try {
    const folder = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`))
    return join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  } catch (error) {
    if (error.code !== 'MODULE_NOT_FOUND') throw error
    return undefined
  }
}

async function runInPinnedNode() {
  const node = process.env.CRYPTOS_LAUNCHED ? undefined : await pinnedNode()
  if (!node) {
    process.stderr.write(
      `cryptos needs Node 22.13 or newer; this is ${process.versions.node}. Install a newer Node, or run "npm ci" in the clone.\n`,
    )
    process.exit(2)
  }
  const { spawn } = await import('node:child_process')
  const { constants } = await import('node:os')
  const child = spawn(node, [...process.execArgv, ...process.argv.slice(1)], {
    // No message is ever sent over the channel: the program sees by its end that this launcher is gone.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, CRYPTOS_LAUNCHED: '1' },
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)))
}
