import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, readdirSync } from 'node:fs'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../host/clock.ts'
import { openPostgresLedger } from '../../quota/ledgers/postgres.ts'
import { portsOf } from '../../scripts/stack/ports.ts'
import { needTool } from '../../scripts/stack/toolchain.ts'
import { Deployment, deployFile, until } from '../support/deployed.ts'
import { freePortOffset } from './throw-away.ts'

describe('PostgreSQL with the roles of docker-compose.yml', () => {
  let deployed: Deployment
  let port = 0

  async function connect(user: string, database: string, password: string): Promise<pg.Client> {
    const client = new pg.Client({ host: '127.0.0.1', port, user, database, password })
    await client.connect()
    return client
  }
  async function ask(user: string, database: string, statement: string): Promise<readonly unknown[]> {
    const client = await connect(user, database, deployed.password(`postgres_${user}`))
    try {
      return (await client.query(statement)).rows as unknown[]
    } finally {
      await client.end()
    }
  }

  beforeAll(async () => {
    deployed = new Deployment('postgres')
    const bin = needTool('postgres', 'PostgreSQL')
    port = portsOf(await freePortOffset(), 1).postgres.client
    // Neither program runs as root, and what they read must be theirs.
    const isRoot = process.getuid?.() === 0
    const as = (...command: string[]): string[] =>
      isRoot ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups', ...command] : command
    cpSync(deployFile('postgres'), deployed.file('init'), { recursive: true })
    if (isRoot) execFileSync('chown', ['-R', 'postgres', deployed.file('.')])
    for (const name of readdirSync(deployed.file('init'))) chmodSync(deployed.file(`init/${name}`), 0o755)
    const flags = ['--auth-host=scram-sha-256', '--auth-local=trust', '--data-checksums', '--no-sync']
    const initial = ['-U', 'postgres', `--pwfile=${deployed.secrets}/postgres_admin_password`]
    expect(
      await deployed.run(as(`${bin}/initdb`, '-D', deployed.file('data'), ...flags, ...initial)),
    ).toMatchObject({ code: 0 })
    const sockets = [
      '-c',
      `unix_socket_directories=${deployed.file('.')}`,
      '-c',
      'listen_addresses=127.0.0.1',
    ]
    deployed.start(
      'postgres',
      as(`${bin}/postgres`, '-D', deployed.file('data'), '-p', String(port), ...sockets),
    )
    const isReady = async (): Promise<boolean> =>
      (await deployed.run([`${bin}/pg_isready`, '-q', '-h', '127.0.0.1', '-p', String(port)])).code === 0
    await until(isReady, () => deployed.log('postgres'))
    const env = { PGHOST: deployed.file('.'), PGPORT: String(port) }
    expect(await deployed.run(as('bash', deployed.file('init/10-cryptos.sh')), env)).toEqual({
      code: 0,
      said: '',
    })
  })
  afterAll(() => deployed.close())

  it.each(['cryptos', 'airflow'])('%s owns its database, and can work there', async role => {
    const made = 'CREATE SCHEMA work; CREATE TABLE work.t (x int); INSERT INTO work.t VALUES (1)'
    await ask(role, role, made)
    expect(await ask(role, role, 'SELECT x FROM work.t')).toEqual([{ x: 1 }])
  })
  it('is enough for the ledger of cryptos: it makes its schema there', async () => {
    const ledger = await openPostgresLedger({
      url: `postgres://cryptos@127.0.0.1:${port}/cryptos`,
      password: deployed.password('postgres_cryptos'),
      ...{ schema: 'cryptos', clock: systemClock, spoolFolder: deployed.file('spool') },
    })
    await ledger.close()
    const schemas = await ask(
      'cryptos',
      'cryptos',
      `SELECT nspname FROM pg_namespace WHERE nspname = 'cryptos'`,
    )
    expect(schemas).toEqual([{ nspname: 'cryptos' }])
  })
  it.each([
    ['cryptos', 'airflow'],
    ['airflow', 'cryptos'],
    ['cryptos', 'postgres'],
  ])('%s can not enter %s', async (role, database) => {
    await expect(ask(role, database, 'SELECT 1')).rejects.toThrow(/permission denied for database/)
  })
  it.each([
    'CREATE ROLE evil SUPERUSER',
    'CREATE DATABASE another',
    'ALTER ROLE postgres PASSWORD NULL',
    'SELECT * FROM pg_authid',
    `COPY (SELECT 1) TO PROGRAM 'true'`,
  ])('refuses to cryptos: %s', async statement => {
    await expect(ask('cryptos', 'cryptos', statement)).rejects.toThrow(
      /permission denied|must be superuser|must have/,
    )
  })
  it('lets nobody in without the password, and keeps only a hash of it', async () => {
    for (const password of ['', 'cryptos', 'postgres'])
      await expect(connect('cryptos', 'cryptos', password)).rejects.toThrow(/password|SASL/)
    await expect(connect('postgres', 'postgres', 'postgres')).rejects.toThrow(
      /password authentication failed/,
    )
    const admin = await connect('postgres', 'postgres', deployed.password('postgres_admin'))
    const { rows } = await admin.query(
      `SELECT rolpassword FROM pg_authid WHERE rolname IN ('cryptos', 'airflow', 'postgres')`,
    )
    await admin.end()
    expect(rows.map(row => String(row.rolpassword).slice(0, 14))).toEqual(Array(3).fill('SCRAM-SHA-256$'))
    const log = deployed.log('postgres')
    expect(
      ['admin', 'cryptos', 'airflow'].filter(name => log.includes(deployed.password(`postgres_${name}`))),
    ).toEqual([])
  })
})
