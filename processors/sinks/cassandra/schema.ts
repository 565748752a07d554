import { randomUUID } from 'node:crypto'
import { CryptosError, isCryptosError } from '../../../core/errors.ts'
import { agingOf } from './aging.ts'
import type { CassandraOptions } from './options.ts'
import { agingTables, newestStep, schemaSteps } from './schema-files.ts'
import type { Session } from './session.ts'

/** A process that died with the claim holds the others up for so long. */
const claimSeconds = 60
const claimPauseMs = 250
const longestWaitMs = 3 * claimSeconds * 1_000

/** Steps that the keyspace has; none where it is empty. @throws CryptosError CRY_STORE_NEWER */
export async function appliedSteps(session: Session): Promise<ReadonlySet<number>> {
  const { keyspace } = session
  const tables = await session.run({
    query: 'SELECT table_name FROM system_schema.tables WHERE keyspace_name=? AND table_name=?',
    params: [keyspace, 'schema_steps'],
  })
  if (tables.length === 0) return new Set()
  const steps = new Set(await stepsIn(session))
  const newest = Math.max(0, ...steps)
  if (newest > newestStep())
    throw new CryptosError(
      'CRY_STORE_NEWER',
      `the keyspace ${keyspace} of Cassandra at ${session.server} has schema ${newest}: update cryptos`,
    )
  return steps
}

async function stepsIn(session: Session): Promise<readonly number[]> {
  const query = `SELECT step FROM ${session.keyspace}.schema_steps WHERE store=?`
  try {
    return (await session.run({ query, params: ['cryptos'] })).map(row => Number(row['step']))
  } catch (error) {
    // A table that another process is just making is told of before it can be read.
    if (isCryptosError(error) && error.code === 'CRY_SERVER_CONFIG') return []
    throw error
  }
}

/**
 * Makes the keyspace and its tables, once, in the order of the files. Any number of processes may start at once: one of them has the
 * claim (a row with a condition, gone by itself after a minute), the others wait until the steps are there.
 * @throws the reason of `options.signal`; CryptosError CRY_STORE_NEWER; CRY_SERVER_CONFIG where something is missing that the user may not make
 */
export async function applySchema(session: Session, options: CassandraOptions): Promise<void> {
  await needKeyspace(session, options)
  if (!isComplete(await appliedSteps(session))) {
    await allowed(session, 'its tables', () => makeBooks(session))
    await whileClaimed(session, options, () => applyMissing(session, options))
  }
  await alignAging(session, options.ttlDays)
}

/** The setting may have changed since the tables were made. Rows that are there keep the age that they were written with. */
async function alignAging(session: Session, ttlDays: number): Promise<void> {
  const rows = await session.run({
    query: 'SELECT table_name, default_time_to_live FROM system_schema.tables WHERE keyspace_name=?',
    params: [session.keyspace],
  })
  const { ttlSeconds, cql } = agingOf(ttlDays)
  const ours = new Set(agingTables())
  for (const row of rows) {
    const table = String(row['table_name'])
    if (!ours.has(table) || Number(row['default_time_to_live']) === ttlSeconds) continue
    const what = `the time to live of ${ttlDays} days on ${session.keyspace}.${table}`
    await allowed(session, what, () =>
      session.runOnce(`ALTER TABLE ${session.keyspace}.${table} WITH ${cql}`),
    )
  }
}

const isComplete = (applied: ReadonlySet<number>): boolean =>
  schemaSteps().every(({ step }) => applied.has(step))

async function needKeyspace(session: Session, options: CassandraOptions): Promise<void> {
  if (await hasKeyspace(session)) return
  const { keyspace, datacenter, replication } = options
  await allowed(session, `the keyspace ${keyspace}`, () =>
    session.runOnce(
      `CREATE KEYSPACE IF NOT EXISTS ${keyspace}
       WITH replication = {'class': 'NetworkTopologyStrategy', '${datacenter}': ${replication}}`,
    ),
  )
}

export async function hasKeyspace(session: Session): Promise<boolean> {
  const query = 'SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name=?'
  return (await session.run({ query, params: [session.keyspace] })).length > 0
}

/** A user without the right to make something is no defect of the server: somebody else makes it once. */
async function allowed(session: Session, what: string, make: () => Promise<unknown>): Promise<void> {
  try {
    await make()
  } catch (error) {
    if (!isCryptosError(error) || error.code !== 'CRY_SERVER_REFUSED') throw error
    throw new CryptosError(
      'CRY_SERVER_CONFIG',
      `Cassandra at ${session.server} lacks ${what}, and the user may not make it: run \`cryptos process\` once as a user who may create`,
      { cause: error },
    )
  }
}

async function makeBooks(session: Session): Promise<void> {
  const { keyspace } = session
  await session.runOnce(`CREATE TABLE IF NOT EXISTS ${keyspace}.schema_claims (
    store text, owner text, PRIMARY KEY ((store)))`)
  await session.runOnce(`CREATE TABLE IF NOT EXISTS ${keyspace}.schema_steps (
    store text, step int, name text, applied_at bigint, PRIMARY KEY ((store), step))`)
}

async function applyMissing(session: Session, options: CassandraOptions): Promise<void> {
  const applied = await appliedSteps(session)
  const aging = agingOf(options.ttlDays)
  for (const { step, name, statements } of schemaSteps()) {
    if (applied.has(step)) continue
    for (const statement of statements)
      await session.runOnce(
        statement.replaceAll('{keyspace}', session.keyspace).replaceAll('{aging}', aging.cql),
      )
    await session.run({
      query: `INSERT INTO ${session.keyspace}.schema_steps (store, step, name, applied_at) VALUES (?,?,?,?)`,
      params: ['cryptos', step, name, options.clock.now()],
    })
  }
}

/** Does `work` in one process at a time; where another one did it meanwhile, nothing is left to do. */
async function whileClaimed(
  session: Session,
  { clock, signal }: CassandraOptions,
  work: () => Promise<void>,
): Promise<void> {
  const { keyspace } = session
  const owner = randomUUID()
  const until = clock.monotonicMs() + longestWaitMs
  while (!(await claim(session, owner))) {
    if (isComplete(await appliedSteps(session))) return
    if (clock.monotonicMs() > until)
      throw new CryptosError(
        'CRY_SERVER_UNREACHABLE',
        `another process has been making the tables of ${keyspace} in Cassandra at ${session.server} for too long`,
      )
    await clock.sleep(claimPauseMs, signal)
  }
  try {
    await work()
  } finally {
    await session.runOnce(`DELETE FROM ${keyspace}.schema_claims WHERE store=? IF owner=?`, [
      'cryptos',
      owner,
    ])
  }
}

async function claim(session: Session, owner: string): Promise<boolean> {
  const [row] = await session.runOnce(
    `INSERT INTO ${session.keyspace}.schema_claims (store, owner) VALUES (?,?) IF NOT EXISTS USING TTL ${claimSeconds}`,
    ['cryptos', owner],
  )
  return row?.['[applied]'] === true
}
