import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import cassandra from 'cassandra-driver'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../host/clock.ts'
import { openCassandraSink } from '../../processors/sinks/cassandra/sink.ts'
import { classPath } from '../../scripts/stack/fetch.ts'
import { portsOf } from '../../scripts/stack/ports.ts'
import { cassandraModules } from '../../scripts/stack/servers/cassandra-config.ts'
import { needTool } from '../../scripts/stack/toolchain.ts'
import { Deployment, deployFile, until } from '../support/deployed.ts'
import { freePortOffset } from './throw-away.ts'

describe('Cassandra as docker-compose.yml starts it', () => {
  let deployed: Deployment
  let ports: ReturnType<typeof portsOf>['cassandra']
  const place = (): string => `127.0.0.1:${ports.client}`

  async function connect(username?: string, password = ''): Promise<cassandra.Client> {
    const client = new cassandra.Client({
      contactPoints: [place()],
      protocolOptions: { port: ports.client },
      localDataCenter: 'datacenter1',
      socketOptions: { connectTimeout: 10_000, readTimeout: 60_000 },
      ...(username === undefined ? {} : { credentials: { username, password } }),
    })
    try {
      await client.connect()
    } catch (error) {
      await client.shutdown()
      throw error
    }
    return client
  }
  async function as<T>(role: string, work: (client: cassandra.Client) => Promise<T>): Promise<T> {
    const client = await connect(role, deployed.password(`cassandra_${role.replace(/^cryptos_/, '')}`))
    try {
      return await work(client)
    } finally {
      await client.shutdown()
    }
  }
  const refusal = (error: unknown): string =>
    [String(error), ...Object.values((error as { innerErrors?: object }).innerErrors ?? {}).map(String)].join(
      ' ',
    )
  const failure = async (work: Promise<unknown>): Promise<string> => work.then(() => 'no refusal', refusal)

  const isHealthy = async (): Promise<boolean> =>
    (await deployed.run(['bash', deployFile('cassandra/healthy.sh'), '127.0.0.1', String(ports.client)]))
      .code === 0
  async function startNode(): Promise<void> {
    const jvm = ['-Xms256m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', ...cassandraModules]
    const own = [
      `-Dcassandra.config=file://${deployed.file('cassandra.yaml')}`,
      `-Dlogback.configurationFile=file://${deployFile('cassandra/logback.xml')}`,
      `-Dcassandra.storagedir=${deployed.file('data')}`,
      '-Dcassandra-foreground=yes',
      // Of a test alone: nobody else is to be waited for.
      ...['-Dcassandra.skip_wait_for_gossip_to_settle=0', '-Dcassandra.ring_delay_ms=100'],
      '-Dcassandra.superuser_setup_delay_ms=0',
    ]
    const classes = await classPath('cassandra', () => undefined)
    const daemon = 'org.apache.cassandra.service.CassandraDaemon'
    deployed.start('cassandra', [needTool('java', 'Cassandra'), ...jvm, ...own, '-cp', classes, daemon])
    await until(isHealthy, () => deployed.log('cassandra').slice(-3_000))
  }
  const makeRoles = () => deployed.run([process.execPath, deployFile('cassandra/roles.ts'), place()])

  beforeAll(async () => {
    deployed = new Deployment('cassandra')
    ports = portsOf(await freePortOffset(), 1).cassandra
    mkdirSync(deployed.file('data'))
    const moved = readFileSync(deployFile('cassandra/cassandra.yaml'), 'utf8')
      .replaceAll('/var/lib/cassandra', deployed.file('data'))
      .replaceAll('127.0.0.1:7000', `127.0.0.1:${ports.storage}`)
      .replace('storage_port: 7000', `storage_port: ${ports.storage}`)
      .replace('native_transport_port: 9042', `native_transport_port: ${ports.client}`)
      .replace('rpc_address: 0.0.0.0', 'rpc_address: 127.0.0.1')
    writeFileSync(deployed.file('cassandra.yaml'), moved)
    expect(await isHealthy()).toBe(false)
    await startNode()
    const first = await until(
      async () => (await makeRoles()).code === 0,
      () => deployed.log('cassandra').slice(-2_000),
    )
    expect(first).toBeUndefined()
  }, 600_000)
  afterAll(() => deployed.close())

  it('closes the login that everybody knows, and lets nobody in without one', async () => {
    expect(await failure(connect('cassandra', 'cassandra'))).toMatch(/not permitted to log in|incorrect/)
    expect(await failure(connect())).toMatch(/requires authentication/)
    expect(await failure(connect('cryptos', 'cryptos'))).toMatch(/incorrect/)
  })
  it('writes to disk before it acknowledges', async () => {
    const query = "SELECT value FROM system_views.settings WHERE name='commitlog_sync'"
    const [row] = (await as('cryptos', client => client.execute(query))).rows
    expect(String(row?.['value'])).toBe('batch')
  })
  it('lets cryptos store: all tables are there, and it makes none', async () => {
    for (const keyspace of ['market', 'market_sandbox']) {
      const login = { username: 'cryptos', password: deployed.password('cassandra_cryptos') }
      const common = {
        datacenter: 'datacenter1',
        replication: 1,
        ttlDays: 0,
        acceptLossWindow: false,
        clock: systemClock,
      }
      const sink = await openCassandraSink({ ...common, hosts: [place()], keyspace, login })
      await sink.close()
    }
    const insert = "INSERT INTO market.schema_claims (store, owner) VALUES ('test', 'test')"
    await as('cryptos', client => client.execute(insert))
  })
  it.each([
    'DROP KEYSPACE market',
    'DROP TABLE market.schema_steps',
    'ALTER TABLE market.schema_steps ADD evil text',
    'CREATE TABLE market.evil (x int PRIMARY KEY)',
    "CREATE KEYSPACE evil WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
    "CREATE ROLE evil WITH SUPERUSER = true AND LOGIN = true AND PASSWORD = 'x'",
    "ALTER ROLE admin WITH PASSWORD = 'x'",
    'GRANT ALL ON ALL KEYSPACES TO cryptos',
    'SELECT * FROM system_auth.roles',
  ])('refuses to cryptos: %s', async statement => {
    expect(await failure(as('cryptos', client => client.execute(statement)))).toMatch(
      /has no .* permission|does not have sufficient privileges|superuser/i,
    )
  })
  it('lets Grafana read, and nothing else', async () => {
    const { rows } = await as('cryptos_grafana', client =>
      client.execute('SELECT step FROM market.schema_steps'),
    )
    expect(rows.length).toBeGreaterThan(0)
    for (const statement of [
      "INSERT INTO market.schema_claims (store, owner) VALUES ('x', 'x')",
      'TRUNCATE market.schema_steps',
      'DROP TABLE market.schema_steps',
    ])
      expect(await failure(as('cryptos_grafana', client => client.execute(statement)))).toMatch(
        /has no .* permission/,
      )
  })
  it('has its two ports, the one between nodes for itself alone, and no password in its log', async () => {
    const listening = (await deployed.run(['ss', '-Hltnp'])).said
    const own = listening
      .split('\n')
      .filter(line => line.includes(`:${ports.client} `) || line.includes(`:${ports.storage} `))
    expect(own.length).toBe(2)
    expect(readFileSync(deployFile('cassandra/cassandra.yaml'), 'utf8')).toContain(
      '\nlisten_address: 127.0.0.1\n',
    )
    expect(
      ['admin', 'cryptos', 'grafana'].filter(name =>
        deployed.log('cassandra').includes(deployed.password(`cassandra_${name}`)),
      ),
    ).toEqual([])
  })
  it('keeps all that after a restart, and a second run of the script changes no row', async () => {
    await deployed.stopServers()
    await startNode()
    expect(await failure(connect('cassandra', 'cassandra'))).toMatch(/not permitted to log in|incorrect/)
    expect(await makeRoles()).toMatchObject({ code: 0 })
    const { rows } = await as('cryptos', client =>
      client.execute("SELECT owner FROM market.schema_claims WHERE store='test'"),
    )
    expect(rows.map(row => String(row['owner']))).toEqual(['test'])
  }, 600_000)
})
