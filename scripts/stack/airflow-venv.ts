import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CryptosError, toCryptosError } from '../../core/errors.ts'
import { cached, cacheFolder, isCached, shortHash } from './cache.ts'
import { locked } from './lock.ts'
import { pins } from './pins.ts'
import type { Say } from './say.ts'
import { needTool, run } from './toolchain.ts'

export const airflowFolder = fileURLToPath(new URL('../../airflow/', import.meta.url))
const constraintsFile = join(airflowFolder, 'constraints.txt')

/** PostgreSQL is asked by two drivers, one for each way in which Airflow works; the last two check the DAGs. */
const packages = ['apache-airflow', 'psycopg2-binary', 'asyncpg', 'pytest', 'ruff']

/** Whoever comes second waits for the first: two builds at once take twice as long. */
const buildLimitMs = 1_800_000

/** By what is in it: another list of versions or another Python is another environment. */
export const venvName = (constraints: string, python: string): string =>
  `airflow-${pins.airflow}-${shortHash(`${constraints}\n${packages.join(' ')}\n${python}`)}`

/** The scripts of an environment name its folder: here the one in which it is built, where it will not stay. */
function moveScripts(bin: string, from: string, to: string): void {
  for (const name of readdirSync(bin)) {
    const file = join(bin, name)
    if (!lstatSync(file).isFile()) continue
    const bytes = readFileSync(file)
    if (bytes.includes(0) || !bytes.includes(from)) continue
    writeFileSync(file, bytes.toString().replaceAll(from, to))
  }
}

/** By uv, which takes seconds where pip takes minutes; by pip where uv can not be had or does not find the packages. */
async function install(venv: string, cwd: string): Promise<void> {
  const python = join(venv, 'bin', 'python')
  const pip = ['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check']
  const what = ['-c', constraintsFile, ...packages]
  // Empty = not set: without compiled modules the first start takes some 40 s.
  const env = { PYTHONDONTWRITEBYTECODE: '' }
  try {
    await run(python, [...pip, 'uv'], cwd, env)
    const uv = ['-m', 'uv', 'pip', 'install', '--quiet', '--python', python, '--compile-bytecode']
    await run(python, [...uv, ...what], cwd, env)
  } catch (error) {
    const why = toCryptosError(error).message
    await run(python, [...pip, ...what], cwd, env).catch((cause: unknown) => {
      throw new CryptosError(
        'CRY_SERVER_UNREACHABLE',
        `${toCryptosError(cause).message}\nand before, ${why}`,
        { cause },
      )
    })
  }
}

async function build(python: string, aside: string, name: string): Promise<void> {
  const venv = join(aside, 'venv')
  await run(python, ['-m', 'venv', venv], aside)
  await install(venv, aside)
  moveScripts(join(venv, 'bin'), aside, join(cacheFolder(), name))
}

/**
 * The folder of a Python environment with Airflow at the versions of `airflow/constraints.txt`; built once.
 * @throws CryptosError CRY_SERVER_CONFIG without Python or its venv, CRY_SERVER_UNREACHABLE when a package can not be had
 */
export async function airflowVenv(say: Say): Promise<string> {
  const python = needTool('python3-venv', 'airflow')
  if (!existsSync(constraintsFile))
    throw new CryptosError('CRY_SERVER_CONFIG', `airflow needs ${constraintsFile}, which is not there`)
  const version = execFileSync(python, ['-VV'], { encoding: 'utf8' })
  const name = venvName(readFileSync(constraintsFile, 'utf8'), version)
  const venv = join(cacheFolder(), name, 'venv')
  if (isCached(name)) return venv
  const lockFolder = join(cacheFolder(), 'airflow-build')
  mkdirSync(lockFolder, { recursive: true })
  const make = async (aside: string): Promise<void> => {
    say(
      `airflow: installing ${pins.airflow} from PyPI into an environment of its own (once, about 2 minutes)`,
    )
    await build(python, aside, name)
  }
  await locked(lockFolder, () => cached(name, make), buildLimitMs)
  return venv
}
