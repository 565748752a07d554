import { secret } from '../secret.ts'

/** Live and simulated data never share a database. `cryptos_db` is for dashboards made for the one-field-per-coin line. */
const databases = ['cryptos', 'cryptos_sandbox', 'cryptos_db', 'cryptos_db_sandbox']
const users = [
  { name: 'cryptos', right: 'ALL' },
  { name: 'cryptos_grafana', right: 'READ' },
]

interface Login {
  readonly name: string
  readonly password: string
}

/** @throws Error with the server's own words, and never the statement: it may hold a password */
async function ask(url: string, statement: string, login?: Login): Promise<void> {
  const { status, text } = await send(url, statement, login)
  const error = /"error":"((?:[^"\\]|\\.)*)"/.exec(text)?.[1]
  if (status !== 200 || error !== undefined)
    throw new Error(`InfluxDB answered ${status}: ${error ?? text.slice(0, 200)}`)
}

async function send(
  url: string,
  statement: string,
  login?: Login,
): Promise<{ status: number; text: string }> {
  const basic = login && Buffer.from(`${login.name}:${login.password}`).toString('base64')
  const response = await fetch(`${url}/query`, {
    method: 'POST',
    body: new URLSearchParams({ q: statement }),
    redirect: 'error',
    signal: AbortSignal.timeout(10_000),
    ...(basic === undefined ? {} : { headers: { authorization: `Basic ${basic}` } }),
  })
  return { status: response.status, text: await response.text() }
}

/** The first user of a server can be made without a login, and only the first. */
async function makeAdmin(url: string, admin: Login): Promise<void> {
  const { status } = await send(url, 'SHOW DATABASES', admin)
  if (status === 200) return
  await ask(url, `CREATE USER "${admin.name}" WITH PASSWORD '${admin.password}' WITH ALL PRIVILEGES`)
}

/** Databases, and users with no more rights than their work needs. May run again: then it sets the passwords anew. */
async function main([url = 'http://127.0.0.1:8086']: readonly string[]): Promise<void> {
  const admin = { name: 'admin', password: secret('influxdb_admin_password') }
  await makeAdmin(url, admin)
  for (const database of databases) await ask(url, `CREATE DATABASE "${database}"`, admin)
  for (const { name, right } of users) {
    const password = secret(`influxdb_${name.replace(/^cryptos_/, '')}_password`)
    await ask(url, `CREATE USER "${name}" WITH PASSWORD '${password}'`, admin).catch(ignoreExisting)
    await ask(url, `SET PASSWORD FOR "${name}" = '${password}'`, admin)
    for (const database of databases) await ask(url, `GRANT ${right} ON "${database}" TO "${name}"`, admin)
  }
  process.stdout.write('InfluxDB has its databases and users.\n')
}

function ignoreExisting(error: unknown): void {
  if (!(error instanceof Error && error.message.includes('user already exists'))) throw error
}

await main(process.argv.slice(2))
