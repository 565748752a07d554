import { spawn, spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync, readdirSync, realpathSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { CryptosError } from '../../core/errors.ts'
import type { ServerName } from './pins.ts'
import { pins } from './pins.ts'

export type Tool = 'java' | 'mvn' | 'go' | 'postgres' | 'python3' | 'python3-venv'

const howToGet: Readonly<Record<Tool, string>> = {
  java: 'Java 17 (apt-get install default-jre-headless, or set JAVA_HOME)',
  mvn: 'Maven (apt-get install maven)',
  go: 'Go 1.23 or newer (apt-get install golang, or https://go.dev/dl)',
  postgres: `PostgreSQL ${pins.postgres} (apt-get install postgresql-${pins.postgres}, or set PG_BIN to the folder of initdb and postgres)`,
  python3: 'Python 3 with venv (apt-get install python3-venv)',
  'python3-venv': 'Python 3.11 or newer with venv (apt-get install python3-venv)',
}

export const missingTool = (tool: Tool, forWhat: string): CryptosError =>
  new CryptosError('CRY_SERVER_CONFIG', `${forWhat} needs ${howToGet[tool]}, which is not installed`)

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const inPath = (name: string): string | undefined =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .map(folder => join(folder, name))
    .find(isProgram)

/** The folder with initdb and postgres: $PG_BIN, Debian's, PATH. */
function postgresFolder(): string | undefined {
  const chosen = process.env['PG_BIN']
  if (chosen) return isProgram(join(chosen, 'initdb')) ? chosen : undefined
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian) : []
  const newest = versions.sort((a, b) => Number(b) - Number(a))
  const folders = [pins.postgres, ...newest].map(version => join(debian, version, 'bin'))
  const found = inPath('initdb')
  return [...folders, ...(found ? [dirname(realpathSync(found))] : [])].find(
    folder => isProgram(join(folder, 'initdb')) && isProgram(join(folder, 'postgres')),
  )
}

/** Debian packs what `venv` needs apart from Python itself. */
function pythonWithVenv(): string | undefined {
  const python = inPath('python3')
  if (python === undefined) return undefined
  const check = 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))'
  return spawnSync(python, ['-c', check], { stdio: 'ignore' }).status === 0 ? python : undefined
}

/** The program of a tool, or for PostgreSQL the folder of its programs. */
export function findTool(tool: Tool): string | undefined {
  if (tool === 'postgres') return postgresFolder()
  if (tool === 'python3-venv') return pythonWithVenv()
  const home = process.env['JAVA_HOME']
  if (tool === 'java' && home && isProgram(join(home, 'bin', 'java'))) return join(home, 'bin', 'java')
  return inPath(tool)
}

export function needTool(tool: Tool, forWhat: string): string {
  const found = findTool(tool)
  if (found === undefined) throw missingTool(tool, forWhat)
  return found
}

/** The version of a Java as its own release file tells it. */
export function javaVersion(java: string): string {
  const release = join(dirname(dirname(realpathSync(java))), 'release')
  const text = existsSync(release) ? readFileSync(release, 'utf8') : ''
  return /^JAVA_VERSION="([^"]+)"/m.exec(text)?.[1] ?? 'unknown'
}

/** What each server needs: to run, and once to be fetched. */
export const toolsOf: Readonly<Record<ServerName, { readonly run: Tool[]; readonly fetch: Tool[] }>> = {
  kafka: { run: ['java'], fetch: ['mvn'] },
  cassandra: { run: ['java'], fetch: ['mvn'] },
  influxdb: { run: [], fetch: ['go'] },
  postgres: { run: ['postgres'], fetch: [] },
  toxiproxy: { run: [], fetch: ['go'] },
  airflow: { run: ['python3-venv'], fetch: [] },
}

/** Runs a program to its end, with `env` over the environment of the caller; an error tells its last lines. */
export const run = (
  file: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = {},
): Promise<string> => runWith(file, args, cwd, { ...process.env, ...env })

/** As `run`, with `env` and nothing of the caller: no setting of his reaches a program that is another installation's. */
export function runWith(
  file: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-20_000)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.once('error', reject)
    child.once('close', code => {
      if (code === 0) return resolve(output)
      const last = output.trim().split('\n').slice(-6).join('\n  ')
      reject(new CryptosError('CRY_SERVER_UNREACHABLE', `${file} failed with code ${code}:\n  ${last}`))
    })
  })
}
