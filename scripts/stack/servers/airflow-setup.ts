import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import pg from 'pg'
import { CryptosError } from '../../../core/errors.ts'
import { addressesOf } from '../addresses.ts'
import { airflowFolder } from '../airflow-venv.ts'
import type { Place } from '../server.ts'
import { runWith } from '../toolchain.ts'
import type { AirflowSecrets } from './airflow-files.ts'
import { airflowConfig, airflowPasswords, airflowPaths, secretsOf, writePrivate } from './airflow-files.ts'

/** Role and database `airflow`; true if the database was made now. */
async function ensureDatabase(place: Place, { database: password }: AirflowSecrets): Promise<boolean> {
  const url = new URL(addressesOf(place.stackFolder, place).postgres.adminUrl)
  url.pathname = '/postgres'
  const client = new pg.Client({ connectionString: url.href })
  try {
    await client.connect()
    const has = async (sql: string): Promise<boolean> => (await client.query(sql)).rows.length > 0
    const role = `airflow LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD '${password}'`
    // The password of this folder, whatever the role had before.
    const verb = (await has(`SELECT 1 FROM pg_roles WHERE rolname = 'airflow'`)) ? 'ALTER' : 'CREATE'
    await client.query(`${verb} ROLE ${role}`)
    if (await has(`SELECT 1 FROM pg_database WHERE datname = 'airflow'`)) return false
    await client.query('CREATE DATABASE airflow OWNER airflow')
    return true
  } catch (error) {
    throw new CryptosError(
      'CRY_SERVER_UNREACHABLE',
      `airflow needs PostgreSQL of ${place.stackFolder}: ${String(error)}`,
      {
        cause: error,
      },
    )
  } finally {
    await client.end()
  }
}

interface Commands {
  readonly place: Place
  readonly venv: string
  readonly env: NodeJS.ProcessEnv
}

/** The caller's `AIRFLOW__…` would make the tables of another database. */
export const airflow = ({ place, venv, env }: Commands, ...args: string[]): Promise<string> =>
  runWith(join(venv, 'bin', 'airflow'), args, airflowPaths(place.stackFolder).folder, env)

async function migrate(commands: Commands, isNew: boolean): Promise<void> {
  const { migrated } = airflowPaths(commands.place.stackFolder)
  const version = basename(dirname(commands.venv))
  if (!isNew && existsSync(migrated) && readFileSync(migrated, 'utf8') === version) return
  rmSync(migrated, { force: true })
  commands.place.say('airflow: making the tables of its database')
  await airflow(commands, 'db', 'migrate')
  writeFileSync(migrated, version)
}

/** A task whose pool does not exist is never run, so they are there before anything can run a task. */
async function importPools(commands: Commands): Promise<void> {
  await airflow(commands, 'pools', 'import', join(airflowFolder, 'pools.json'))
}

/** Configuration, users, database and pools, each made if it is not there. PostgreSQL must run. */
export async function setUpAirflow(place: Place, venv: string, env: NodeJS.ProcessEnv): Promise<void> {
  const { folder, home } = airflowPaths(place.stackFolder)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const secrets = secretsOf(place.stackFolder)
  airflowPasswords(place.stackFolder)
  writePrivate(join(home, 'airflow.cfg'), airflowConfig(place, secrets))
  const commands = { place, venv, env }
  await migrate(commands, await ensureDatabase(place, secrets))
  await importPools(commands)
}
