import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Place } from '../server.ts'

const repository = fileURLToPath(new URL('../../../', import.meta.url))

/** What the four processes share, of a stack in this folder. */
export const airflowPaths = (stackFolder: string) => {
  const folder = join(stackFolder, 'airflow')
  return {
    folder,
    home: join(folder, 'home'),
    /** Of the users `admin` and `viewer`, as JSON: `{"admin":"…","viewer":"…"}`. */
    passwords: join(folder, 'passwords.json'),
    secrets: join(folder, 'secrets.json'),
    /** Which versions the database was last migrated to. */
    migrated: join(folder, 'migrated'),
  }
}

export interface AirflowSecrets {
  /** Of the role `airflow` in PostgreSQL. */
  readonly database: string
  readonly jwt: string
  readonly fernet: string
  readonly api: string
}

/** Whole or not at all, and nobody else's from the first moment. */
export function writePrivate(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(`${file}.new`, text, { mode: 0o600 })
  // The mode above is for a file that is new.
  chmodSync(`${file}.new`, 0o600)
  renameSync(`${file}.new`, file)
}

function madeOnce<T>(file: string, make: () => T): T {
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as T
  const made = make()
  writePrivate(file, `${JSON.stringify(made)}\n`)
  return made
}

/** The secrets of a stack's own Airflow, made once. */
export const secretsOf = (stackFolder: string): AirflowSecrets =>
  madeOnce(airflowPaths(stackFolder).secrets, () => ({
    database: randomBytes(24).toString('hex'),
    // Below 64 bytes Airflow warns with every token.
    jwt: randomBytes(48).toString('hex'),
    // Fernet wants 32 bytes in base64 for URLs, with its padding.
    fernet: randomBytes(32).toString('base64').replaceAll('+', '-').replaceAll('/', '_'),
    api: randomBytes(32).toString('hex'),
  }))

/** The passwords of its users, made once. */
export const airflowPasswords = (stackFolder: string): Readonly<Record<'admin' | 'viewer', string>> =>
  madeOnce(airflowPaths(stackFolder).passwords, () => ({
    admin: randomBytes(18).toString('hex'),
    viewer: randomBytes(18).toString('hex'),
  }))

/** Every setting that is not Airflow's own default, as `section.key`. */
function settingsOf(place: Place, secrets: AirflowSecrets): Record<string, string> {
  const paths = airflowPaths(place.stackFolder)
  const url = airflowUrl(place)
  return {
    'core.executor': 'LocalExecutor',
    // So many processes wait for tasks, idle ones too.
    'core.parallelism': '4',
    'core.dags_folder': join(repository, 'dags'),
    'core.plugins_folder': join(repository, 'airflow', 'plugins'),
    'core.load_examples': 'False',
    'core.dags_are_paused_at_creation': 'True',
    'core.fernet_key': secrets.fernet,
    'core.simple_auth_manager_users': 'admin:admin,viewer:viewer',
    'core.simple_auth_manager_passwords_file': paths.passwords,
    'core.execution_api_server_url': `${url}/execution/`,
    'database.sql_alchemy_conn': `postgresql+psycopg2://airflow:${secrets.database}@127.0.0.1:${place.ports.postgres.client}/airflow`,
    'database.load_default_connections': 'False',
    'api.host': '127.0.0.1',
    'api.port': String(place.ports.airflow.client),
    'api.base_url': url,
    'api.workers': '1',
    'api.secret_key': secrets.api,
    'api_auth.jwt_secret': secrets.jwt,
    'dag_processor.parsing_processes': '1',
    'dag_processor.refresh_interval': '30',
    'scheduler.enable_health_check': 'False',
    // What ran under a scheduler that was killed is found by this alone; a run of a tick times out after 5 minutes.
    'scheduler.orphaned_tasks_check_interval': '60',
    'logging.base_log_folder': join(paths.home, 'logs'),
    // It would tell its makers of each start.
    'usage_data_collection.enabled': 'False',
    ...place.settings.airflow,
  }
}

export const airflowUrl = (place: Pick<Place, 'ports'>): string =>
  `http://127.0.0.1:${place.ports.airflow.client}`

/** airflow.cfg. It holds the secrets, so that no environment does: what a task starts inherits that. */
export function airflowConfig(place: Place, secrets: AirflowSecrets): string {
  const sections = Map.groupBy(Object.entries(settingsOf(place, secrets)), ([key]) => key.split('.')[0] ?? '')
  // Its reader replaces %(name)s.
  const line = (key: string, value: string): string =>
    `${key.slice(key.indexOf('.') + 1)} = ${value.replaceAll('%', '%%')}\n`
  return [...sections]
    .map(([section, entries]) => `[${section}]\n${entries.map(each => line(...each)).join('')}`)
    .join('\n')
}
