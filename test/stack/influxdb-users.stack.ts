import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../host/clock.ts'
import { openInfluxSink } from '../../processors/sinks/influxdb/sink.ts'
import { goProgram } from '../../scripts/stack/fetch.ts'
import { portsOf } from '../../scripts/stack/ports.ts'
import { Deployment, deployFile, until } from '../support/deployed.ts'
import { freePortOffset } from './throw-away.ts'

describe('InfluxDB as docker-compose.yml starts it', () => {
  let deployed: Deployment
  let url = ''

  interface Login {
    readonly user: string
    readonly password: string
  }
  const login = (user: string): Login => ({
    user,
    password: deployed.password(`influxdb_${user.replace(/^cryptos_/, '')}`),
  })
  const header = ({ user, password }: Login): Record<string, string> => ({
    authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
  })
  async function query(
    statement: string,
    as?: Login,
    database = 'cryptos',
  ): Promise<{ status: number; text: string }> {
    const response = await fetch(`${url}/query?db=${database}`, {
      method: 'POST',
      body: new URLSearchParams({ q: statement }),
      headers: as ? header(as) : {},
    })
    return { status: response.status, text: await response.text() }
  }
  async function write(line: string, as?: Login, database = 'cryptos'): Promise<number> {
    const token: Record<string, string> = as ? { authorization: `Token ${as.user}:${as.password}` } : {}
    const response = await fetch(`${url}/api/v2/write?bucket=${database}&precision=us`, {
      method: 'POST',
      body: line,
      headers: token,
    })
    await response.text()
    return response.status
  }
  const makeUsers = () => deployed.run([process.execPath, deployFile('influxdb/users.ts'), url])

  beforeAll(async () => {
    deployed = new Deployment('influxdb')
    const { client, rpc } = portsOf(await freePortOffset(), 1).influxdb
    url = `http://127.0.0.1:${client}`
    mkdirSync(deployed.file('data'))
    const config = readFileSync(deployFile('influxdb/influxdb.conf'), 'utf8')
      .replaceAll('/var/lib/cryptos-influxdb', deployed.file('data'))
      .replaceAll('":8086"', `"127.0.0.1:${client}"`)
      .replaceAll('127.0.0.1:8088', `127.0.0.1:${rpc}`)
    writeFileSync(deployed.file('influxdb.conf'), config)
    deployed.start('influxd', [
      await goProgram('influxdb', () => undefined),
      '-config',
      deployed.file('influxdb.conf'),
    ])
    // The health check of docker-compose.yml: it needs no login.
    const isHealthy = (): Promise<boolean> =>
      fetch(`${url}/health`).then(
        r => r.ok,
        () => false,
      )
    await until(isHealthy, () => deployed.log('influxd').slice(-2_000))
    expect(await makeUsers()).toEqual({ code: 0, said: 'InfluxDB has its databases and users.\n' })
  })
  afterAll(() => deployed.close())

  it('answers 401 to nobody, to a wrong password and to the login that everybody tries', async () => {
    const wrong = [undefined, { user: 'admin', password: 'admin' }, { user: 'cryptos', password: 'cryptos' }]
    for (const as of wrong) {
      expect((await query('SHOW DATABASES', as)).status).toBe(401)
      expect((await query('SELECT * FROM quotes', as)).status).toBe(401)
      expect(await write('quotes v=1 1', as)).toBe(401)
    }
    expect((await query(`CREATE USER evil WITH PASSWORD 'x' WITH ALL PRIVILEGES`)).status).toBe(401)
  })
  it('lets cryptos write and read its databases', async () => {
    for (const database of ['cryptos', 'cryptos_sandbox', 'cryptos_db']) {
      expect(await write('quotes value=1.5 1000000', login('cryptos'), database)).toBe(204)
      const { status, text } = await query('SELECT value FROM quotes', login('cryptos'), database)
      expect([status, text]).toEqual([200, expect.stringContaining('1.5')])
    }
  })
  it('is enough for the sink of cryptos, and no less', async () => {
    const open = (database: string, user: string) => {
      const { password } = login(user)
      return openInfluxSink({ url, database, clock: systemClock, login: { username: user, password } })
    }
    for (const database of ['cryptos', 'cryptos_sandbox']) await (await open(database, 'cryptos')).close()
    // Another database it may neither see nor make.
    await expect(open('another', 'cryptos')).rejects.toMatchObject({
      code: expect.stringMatching(/^CRY_SERVER_(REFUSED|CONFIG)$/),
    })
  })
  it.each([
    'DROP DATABASE cryptos',
    'CREATE DATABASE another',
    'DROP MEASUREMENT quotes',
    'CREATE RETENTION POLICY short ON cryptos DURATION 1h REPLICATION 1',
    'ALTER RETENTION POLICY autogen ON cryptos DURATION 1h',
    `CREATE USER evil WITH PASSWORD 'x' WITH ALL PRIVILEGES`,
    'GRANT ALL PRIVILEGES TO cryptos',
    `SET PASSWORD FOR admin = 'x'`,
    'SHOW USERS',
  ])('refuses to cryptos: %s', async statement => {
    const { status, text } = await query(statement, login('cryptos'))
    expect([status, text]).toEqual([403, expect.stringContaining('not authorized')])
    expect((await query('SELECT value FROM quotes', login('cryptos'))).text).toContain('1.5')
  })
  it('lets Grafana read, and nothing else', async () => {
    expect((await query('SELECT value FROM quotes', login('cryptos_grafana'))).text).toContain('1.5')
    expect(await write('quotes value=2 2000000', login('cryptos_grafana'))).toBe(403)
    for (const statement of ['DELETE FROM quotes', 'DROP SERIES FROM quotes', 'DROP DATABASE cryptos'])
      expect((await query(statement, login('cryptos_grafana'))).status).toBe(403)
  })
  it('sets passwords anew when they were changed, and keeps what is stored', async () => {
    const before = login('cryptos')
    writeFileSync(`${deployed.secrets}/../rotate.sh`, 'rm -f "$1" && sh "$2" "$3"')
    const file = `${deployed.secrets}/influxdb_cryptos_password`
    const made = await deployed.run([
      'sh',
      deployed.file('rotate.sh'),
      file,
      deployFile('make-secrets.sh'),
      deployed.secrets,
    ])
    expect(made).toEqual({ code: 0, said: '' })
    expect(await makeUsers()).toMatchObject({ code: 0 })
    expect((await query('SELECT value FROM quotes', before)).status).toBe(401)
    expect((await query('SELECT value FROM quotes', login('cryptos'))).text).toContain('1.5')
  })
  it('tells no password in its log', () => {
    const passwords = ['admin', 'cryptos', 'cryptos_grafana'].map(user => login(user).password)
    expect(passwords.filter(text => deployed.log('influxd').includes(text))).toEqual([])
  })
})
