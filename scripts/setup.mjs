// Sets up what a fresh clone is missing. Plain JavaScript, because it runs in whatever Node >= 20 the user has.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
const stamp = join(root, 'node_modules', '.cache', 'cryptos-setup')

const wanted = () =>
  createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')

export const isSetUp = () => existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted()

/** Installs the packages of the lockfile unless that was done before; nothing is compiled and no install script runs. */
export function setUp() {
  if (isSetUp()) return
  process.stderr.write('Setting up: installing the packages of package-lock.json (once, about 10 s)\n')
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error']
  const result = spawnSync(npm, args, {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  })
  if (result.status !== 0) {
    process.stderr.write(
      'Setting up failed: "npm ci" did not succeed. Its message stands above; check the network and try again.\n',
    )
    process.exit(1)
  }
  spawnSync(nodeBinary(), [join(root, 'scripts', 'warm-up.mjs')], { stdio: 'inherit' })
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, wanted())
}

/** The repository's own Node where there is one for this platform, else the user's. */
export function nodeBinary() {
  const own = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node')
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (existsSync(own)) return own
  if (major > 22 || (major === 22 && minor >= 13)) return process.execPath
  process.stderr.write(
    `There is no pinned Node for ${process.platform}-${process.arch}: install Node 22.13 or newer (24 is best) and run this again.\n`,
  )
  process.exit(2)
}
