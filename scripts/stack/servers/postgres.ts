import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { CryptosError } from '../../../core/errors.ts'
import { postgresReady } from '../probes.ts'
import type { Launch, Place, Server } from '../server.ts'
import { needTool } from '../toolchain.ts'

interface Passwords {
  readonly postgres: string
  readonly cryptos: string
}

const passwordsFile = (folder: string): string => join(folder, 'passwords.json')

/** Where the password of the user cryptos lies alone, as `CRYPTOS_POSTGRES_PASSWORD_FILE` wants it. */
export const passwordFile = (folder: string): string => join(folder, 'password')

/** The passwords of a stack's own PostgreSQL, made once; the file is the owner's alone. */
export function passwordsOf(folder: string): Passwords {
  const file = passwordsFile(folder)
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Passwords
  const made = { postgres: randomBytes(18).toString('hex'), cryptos: randomBytes(18).toString('hex') }
  writeFileSync(passwordFile(folder), made.cryptos, { mode: 0o600 })
  writeFileSync(file, JSON.stringify(made), { mode: 0o600 })
  return made
}

interface Owner {
  readonly uid?: number
  readonly gid?: number
}

/** PostgreSQL refuses to run as root: there it is the system user postgres. */
function ownerOf(): Owner {
  if (process.getuid?.() !== 0) return {}
  const line = /^postgres:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'))
  if (!line) {
    throw new CryptosError(
      'CRY_SERVER_CONFIG',
      'PostgreSQL does not run as root, and this system has no user postgres (apt-get install postgresql-common, or run as another user)',
    )
  }
  return { uid: Number(line[1]), gid: Number(line[2]) }
}

/** Lets the user postgres pass through the stack's own folders, and says so where a folder above forbids it. */
function openTheWay(place: Place): void {
  for (const own of [place.folder, place.stackFolder]) chmodSync(own, statSync(own).mode | 0o111)
  for (let folder = dirname(place.stackFolder); folder !== dirname(folder); folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) {
      throw new CryptosError(
        'CRY_SERVER_CONFIG',
        `as root PostgreSQL runs as the user postgres, who may not enter ${folder}: choose another place with --folder, or run as another user`,
      )
    }
  }
}

const environment = { PATH: process.env['PATH'] ?? '', LC_ALL: 'C.UTF-8' }

function runAs(owner: Owner, file: string, args: readonly string[], input = ''): void {
  const result = spawnSync(file, args, {
    ...owner,
    cwd: '/',
    env: environment,
    input,
    encoding: 'utf8',
    timeout: 60_000,
  })
  if (result.status === 0) return
  const last = `${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}`
    .trim()
    .split('\n')
    .slice(-6)
  throw new CryptosError('CRY_SERVER_CONFIG', `${file} failed:\n  ${last.join('\n  ')}`)
}

/** Makes the cluster, and in it the database `cryptos` with its owner. */
function initialise(place: Place, bin: string, owner: Owner): void {
  const data = join(place.folder, 'data')
  const passwords = passwordsOf(place.folder)
  // What a killed initialisation left is no database.
  rmSync(data, { recursive: true, force: true })
  const superuser = join(place.folder, 'superuser')
  writeFileSync(superuser, passwords.postgres, { mode: 0o600 })
  mkdirSync(data, { mode: 0o700 })
  if (owner.uid !== undefined && owner.gid !== undefined) {
    chownSync(superuser, owner.uid, owner.gid)
    chownSync(data, owner.uid, owner.gid)
  }
  const how = ['-A', 'scram-sha-256', '-E', 'UTF8', '--locale=C', '-N']
  runAs(owner, join(bin, 'initdb'), ['-D', data, '-U', 'postgres', `--pwfile=${superuser}`, ...how])
  rmSync(superuser)
  const sql = `CREATE ROLE cryptos LOGIN PASSWORD '${passwords.cryptos}'\nCREATE DATABASE cryptos OWNER cryptos\n`
  runAs(owner, join(bin, 'postgres'), ['--single', '-D', data, 'postgres'], sql)
  writeFileSync(join(place.folder, 'initialised'), '')
}

export const postgresSettings = (place: Place): Record<string, string> => ({
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  shared_buffers: '64MB',
  max_connections: '100',
  ...place.settings.postgres,
})

async function prepare(place: Place): Promise<Launch> {
  const bin = needTool('postgres', 'PostgreSQL')
  const owner = ownerOf()
  if (owner.uid !== undefined) openTheWay(place)
  if (!existsSync(join(place.folder, 'initialised'))) initialise(place, bin, owner)
  const settings = Object.entries(postgresSettings(place)).flatMap(([key, value]) => [
    '-c',
    `${key}=${value}`,
  ])
  const args = ['-D', join(place.folder, 'data'), '-p', String(place.ports.postgres.client), ...settings]
  return { file: join(bin, 'postgres'), args, env: environment, ...owner }
}

/** PostgreSQL of the system, with data of its own. */
export const postgresServer = (place: Place): Server => ({
  name: 'postgres',
  kind: 'postgres',
  address: `postgres://cryptos@127.0.0.1:${place.ports.postgres.client}/cryptos`,
  listens: [place.ports.postgres.client],
  // Fast shutdown: SIGTERM would wait for every client to leave.
  stopSignal: 'SIGINT',
  tooEarly: /pre-existing shared memory block|lock file "postmaster\.pid" already exists/,
  prepare: () => prepare(place),
  ready: () => postgresReady(place.ports.postgres.client),
})
