import { CryptosError } from '../../../core/errors.ts'
import { InfluxConnection } from './connection.ts'
import { ask, name, statementError } from './influxql.ts'
import { marketKinds } from './market-line.ts'
import { checkOptions } from './options.ts'
import type { InfluxOptions } from './options.ts'

/**
 * A connection to a server that has the database and the retention policy: a wrong one would answer each write with what looks like
 * an outage. A missing database is made, if the user may.
 * @throws CryptosError CRY_CONFIG_INVALID, CRY_SERVER_*
 */
export async function openConnection(options: InfluxOptions): Promise<InfluxConnection> {
  checkOptions(options)
  const connection = new InfluxConnection(options)
  try {
    const version = await connection.ping()
    if (/^v?3\./.test(version))
      throw new CryptosError(
        'CRY_SERVER_CONFIG',
        `InfluxDB at ${connection.server} is ${version}: versions 1.8 and 2 are supported`,
      )
    await ensureDatabase(connection, options.database, options.retentionPolicy)
    return connection
  } catch (error) {
    connection.close()
    throw error
  }
}

/** @throws CryptosError CRY_SERVER_* */
export async function ensureDatabase(
  connection: InfluxConnection,
  database: string,
  retentionPolicy?: string,
): Promise<void> {
  let policies = await policiesOf(connection, database)
  if (policies === undefined) {
    await createDatabase(connection, database, retentionPolicy)
    policies = await policiesOf(connection, database)
  }
  if (policies === undefined || (retentionPolicy !== undefined && !policies.includes(retentionPolicy)))
    throw new CryptosError(
      'CRY_SERVER_CONFIG',
      `InfluxDB at ${connection.server} has no retention policy ${name(retentionPolicy ?? '')} in the database ${name(database)}: make it with CREATE RETENTION POLICY, or correct the setting`,
    )
}

/** Types of the fields that records are read back by; one field of another type, and its points would be refused for ever. */
const fieldTypes: Readonly<Record<string, string>> = {
  exact: 'string',
  body: 'string',
  live: 'boolean',
  price: 'float',
}

/** @throws CryptosError CRY_SERVER_CONFIG where something else writes into our measurements */
export async function checkFields(connection: InfluxConnection): Promise<void> {
  const measurements = ['quote', ...marketKinds].map(name).join(', ')
  const [found = []] = await ask(connection, [`SHOW FIELD KEYS FROM ${measurements}`])
  for (const { name: measurement, values } of found)
    for (const [field, type] of values)
      if (Object.hasOwn(fieldTypes, String(field)) && fieldTypes[String(field)] !== type)
        throw new CryptosError(
          'CRY_SERVER_CONFIG',
          `InfluxDB at ${connection.server} has ${name(measurement)} with a field ${name(String(field))} of type ${String(type)} in the database ${name(connection.options.database)}, written by something else: give cryptos a database of its own`,
        )
}

/** Writes nothing, which 1.8 answers by the rights of the user: who may not store is told at the start. @throws CryptosError CRY_SERVER_* */
export async function checkMayWrite(connection: InfluxConnection): Promise<void> {
  const { org, login, token } = connection.options
  // 2.x calls a write without lines wrong; where nobody logs in, anybody may write.
  if (org !== undefined || (login === undefined && token === undefined)) return
  try {
    await connection.send('')
  } catch (error) {
    throw connection.error(error)
  }
}

/** Names of the retention policies; undefined = there is no such database. */
async function policiesOf(
  connection: InfluxConnection,
  database: string,
): Promise<readonly string[] | undefined> {
  const [answer] = await connection.query(`SHOW RETENTION POLICIES ON ${name(database)}`, database)
  if (answer?.error !== undefined) {
    if (/database not found/.test(answer.error)) return undefined
    throw statementError(answer.error, connection.server)
  }
  return (answer?.series ?? []).flatMap(s => s.values.map(row => String(row[s.columns.indexOf('name')])))
}

async function createDatabase(
  connection: InfluxConnection,
  database: string,
  retentionPolicy: string | undefined,
): Promise<void> {
  const policy =
    retentionPolicy === undefined ? '' : ` WITH DURATION 0s REPLICATION 1 NAME ${name(retentionPolicy)}`
  const why = await failureOf(connection, `CREATE DATABASE ${name(database)}${policy}`, database)
  if (why !== undefined)
    throw new CryptosError(
      'CRY_SERVER_CONFIG',
      `InfluxDB at ${connection.server} has no database ${name(database)} (in 2.x: no bucket that is mapped to it), and it can not be made: make it, or correct the setting (${why})`,
    )
}

async function failureOf(
  connection: InfluxConnection,
  statement: string,
  database: string,
): Promise<string | undefined> {
  try {
    const [answer] = await connection.query(statement, database)
    return answer?.error
  } catch (error) {
    // Refused is the answer here; a server that is away is not.
    if (error instanceof CryptosError && error.code !== 'CRY_SERVER_UNREACHABLE') return error.message
    throw error
  }
}
