import { isCryptosError } from '../../core/errors.ts'
import { systemClock } from '../../host/clock.ts'
import { applySchema } from '../../processors/sinks/cassandra/schema.ts'
import { openSession, type Session } from '../../processors/sinks/cassandra/session.ts'
import { secret } from '../secret.ts'

/** Live and simulated data never share a keyspace. */
const keyspaces = ['market', 'market_sandbox']
const roles = [
  { name: 'cryptos', rights: ['SELECT', 'MODIFY'] },
  { name: 'cryptos_grafana', rights: ['SELECT'] },
]
/** What cryptos asks a node: whether its commit log loses what it acknowledged. */
const settingsTable = 'system_views.settings'

/** As the program reads it: tables are made with it. */
function ttlDays(): number {
  const text = process.env['CRYPTOS_CASSANDRA_TTL_DAYS'] ?? '0'
  if (!/^\d{1,5}$/.test(text)) throw new Error(`CRYPTOS_CASSANDRA_TTL_DAYS is no number of days: ${text}`)
  return Number(text)
}

const optionsFor = (place: string, username: string, password: string, keyspace = 'system') => ({
  ...{ hosts: [place], datacenter: 'datacenter1', keyspace, replication: 1, acceptLossWindow: false },
  ttlDays: ttlDays(),
  login: { username, password },
  clock: systemClock,
})

/** An own superuser takes the place of `cassandra`, whose password everybody knows. */
async function openAsAdmin(place: string): Promise<Session> {
  const password = secret('cassandra_admin_password')
  try {
    return await openSession(optionsFor(place, 'admin', password))
  } catch (error) {
    if (!isCryptosError(error) || error.code !== 'CRY_SERVER_REFUSED') throw error
  }
  const first = await openSession(optionsFor(place, 'cassandra', 'cassandra'))
  try {
    await first.runOnce(
      `CREATE ROLE IF NOT EXISTS admin WITH SUPERUSER = true AND LOGIN = true AND PASSWORD = '${password}'`,
    )
  } finally {
    await first.close()
  }
  return openSession(optionsFor(place, 'admin', password))
}

/** Who makes a table may drop it: so the administrator makes them all, by the files of the program. */
async function makeTables(place: string): Promise<void> {
  for (const keyspace of keyspaces) {
    const options = optionsFor(place, 'admin', secret('cassandra_admin_password'), keyspace)
    const session = await openSession(options)
    try {
      await applySchema(session, options)
    } finally {
      await session.close()
    }
  }
}

/** Roles with no more rights than their work needs. May run again: then it sets the passwords anew. */
async function makeRoles(admin: Session): Promise<void> {
  for (const { name, rights } of roles) {
    const password = secret(`cassandra_${name.replace(/^cryptos_/, '')}_password`)
    await admin.runOnce(`CREATE ROLE IF NOT EXISTS ${name} WITH LOGIN = true AND PASSWORD = '${password}'`)
    await admin.runOnce(`ALTER ROLE ${name} WITH PASSWORD = '${password}'`)
    await admin.runOnce(`GRANT SELECT ON ${settingsTable} TO ${name}`)
    for (const keyspace of keyspaces)
      for (const right of rights) await admin.runOnce(`GRANT ${right} ON KEYSPACE ${keyspace} TO ${name}`)
  }
}

async function main([place = '127.0.0.1:9042']: readonly string[]): Promise<void> {
  const admin = await openAsAdmin(place)
  try {
    await admin.runOnce('ALTER ROLE cassandra WITH SUPERUSER = false AND LOGIN = false')
    await makeTables(place)
    await makeRoles(admin)
  } finally {
    await admin.close()
  }
  process.stdout.write('Cassandra has its tables and roles; the login of everybody is closed.\n')
}

await main(process.argv.slice(2))
