import cassandra from 'cassandra-driver'
import { secret } from '../secret.ts'

/** Live and simulated data never share a keyspace. */
const keyspaces = ['market', 'market_sandbox']
const roles = [
  { name: 'cryptos', rights: ['SELECT', 'MODIFY'] },
  { name: 'cryptos_grafana', rights: ['SELECT'] },
]
/** What cryptos asks a node: whether its commit log loses what it acknowledged. */
const settingsTable = 'system_views.settings'

async function connect(place: string, username: string, password: string): Promise<cassandra.Client> {
  const client = new cassandra.Client({
    contactPoints: [place],
    protocolOptions: { port: Number(place.split(':')[1] ?? 9042) },
    localDataCenter: 'datacenter1',
    credentials: { username, password },
  })
  try {
    await client.connect()
    return client
  } catch (error) {
    await client.shutdown()
    throw error
  }
}

/** An own superuser takes the place of `cassandra`, whose password everybody knows. */
async function connectAsAdmin(place: string): Promise<cassandra.Client> {
  const password = secret('cassandra_admin_password')
  try {
    return await connect(place, 'admin', password)
  } catch (error) {
    if (!isLoginRefused(error)) throw error
  }
  const first = await connect(place, 'cassandra', 'cassandra')
  try {
    await first.execute(
      `CREATE ROLE IF NOT EXISTS admin WITH SUPERUSER = true AND LOGIN = true AND PASSWORD = '${password}'`,
    )
  } finally {
    await first.shutdown()
  }
  return connect(place, 'admin', password)
}

const isLoginRefused = (error: unknown): boolean =>
  error instanceof cassandra.errors.AuthenticationError ||
  Object.values((error as { innerErrors?: Readonly<Record<string, unknown>> }).innerErrors ?? {}).some(
    inner => inner instanceof cassandra.errors.AuthenticationError,
  )

/** Keyspaces, and roles with no more rights than their work needs. May run again: then it sets the passwords anew. */
async function makeRoles(admin: cassandra.Client): Promise<void> {
  await admin.execute('ALTER ROLE cassandra WITH SUPERUSER = false AND LOGIN = false')
  for (const keyspace of keyspaces)
    await admin.execute(
      `CREATE KEYSPACE IF NOT EXISTS ${keyspace} WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 1}`,
    )
  for (const { name, rights } of roles) {
    const password = secret(`cassandra_${name.replace(/^cryptos_/, '')}_password`)
    await admin.execute(`CREATE ROLE IF NOT EXISTS ${name} WITH LOGIN = true AND PASSWORD = '${password}'`)
    await admin.execute(`ALTER ROLE ${name} WITH PASSWORD = '${password}'`)
    await admin.execute(`GRANT SELECT ON ${settingsTable} TO ${name}`)
    for (const keyspace of keyspaces)
      for (const right of rights) await admin.execute(`GRANT ${right} ON KEYSPACE ${keyspace} TO ${name}`)
  }
}

async function main([place = '127.0.0.1:9042']: readonly string[]): Promise<void> {
  const admin = await connectAsAdmin(place)
  try {
    await makeRoles(admin)
  } finally {
    await admin.shutdown()
  }
  process.stdout.write('Cassandra has its roles; the login of everybody is closed.\n')
}

await main(process.argv.slice(2))
