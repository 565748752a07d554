import { execFile } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { airflowVenv } from '../../scripts/stack/airflow-venv.ts'
import { root } from '../support/program.ts'
import { scratch } from '../support/scratch.ts'

const config = ['--config', 'airflow/pyproject.toml']

/** What a program of the Python environment says, on both outputs. @throws Error with it, where it does not end with 0 */
async function runIn(venv: string, home: string, program: string, args: readonly string[]): Promise<string> {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(CRYPTOS_|AIRFLOW|PYTHON|NODE_OPTIONS)/.test(name),
  )
  const env = {
    ...Object.fromEntries(own),
    PATH: [join(venv, 'bin'), process.env['PATH'] ?? ''].join(delimiter),
    AIRFLOW_HOME: home,
    PYTHONDONTWRITEBYTECODE: '1',
  }
  const run = promisify(execFile)(program, args, { cwd: root, env, maxBuffer: 50_000_000 })
  const { stdout, stderr } = await run.catch((error: Error & { stdout?: string; stderr?: string }) => {
    throw new Error(
      `${program} ${args.join(' ')}:\n${error.stdout ?? ''}${error.stderr ?? error.message}`.slice(-20_000),
    )
  })
  return stdout + stderr
}

/** The tests of the Python parts in the Airflow that the launcher runs. */
describe('DAGs, operators and plugin', () => {
  const folder = scratch('dags')
  const home = folder.file('home')
  let venv = ''
  beforeAll(async () => {
    mkdirSync(home)
    venv = await airflowVenv(line => console.log(line))
  }, 1_800_000)
  afterAll(() => folder[Symbol.dispose]())

  it('pass their tests without Airflow', async () => {
    const said = await runIn(venv, home, 'python3', [
      '-m',
      'unittest',
      'discover',
      '-s',
      'airflow/tests',
      '-p',
      'test_pure_*.py',
    ])
    expect(Number(/Ran (\d+) tests/.exec(said)?.[1])).toBeGreaterThan(20)
  })

  it('have no finding of ruff, with its rules for Airflow', async () => {
    await runIn(venv, home, 'ruff', ['check', ...config, 'dags', 'airflow'])
    await runIn(venv, home, 'ruff', ['format', '--check', ...config, 'dags', 'airflow'])
  })

  it('pass their tests with Airflow: every DAG against the simulator, operators, the quota page', async () => {
    const said = await runIn(venv, home, 'pytest', [
      '-c',
      'airflow/pyproject.toml',
      '--rootdir',
      'airflow',
      'airflow/tests',
    ])
    const [, passed] = /(\d+) passed/.exec(said) ?? []
    console.log(said.trimEnd().split('\n').at(-1))
    expect(Number(passed)).toBeGreaterThan(90)
    expect(said).not.toMatch(/\d+ (skipped|failed|error)/)
  })
})
