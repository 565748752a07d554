import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { systemClock } from '../../../host/clock.ts'
import type { CassandraOptions } from './options.ts'
import { openSession } from './session.ts'

interface Where {
  readonly host: string
  readonly port: number
  readonly datacenter: string
}

const made: CassandraOptions[] = []

/** A keyspace of a test's own on the server that runs for the tests; `dropStores` removes it. */
export function storeOptions(where: Where, more: Partial<CassandraOptions> = {}): CassandraOptions {
  const options = optionsOf(where, more)
  made.push(options)
  return options
}

/** Removes the keyspaces of the test file: a server with hundreds of tables starts slowly. */
export async function dropStores(where: Where): Promise<void> {
  const session = await openSession(optionsOf(where, {}))
  for (const { keyspace } of made.splice(0)) await session.runOnce(`DROP KEYSPACE IF EXISTS ${keyspace}`)
  await session.close()
}

const optionsOf = (where: Where, more: Partial<CassandraOptions>): CassandraOptions => ({
  ...{ hosts: [`${where.host}:${where.port}`], datacenter: where.datacenter },
  ...{ keyspace: `t_${randomUUID().replaceAll('-', '').slice(0, 16)}`, replication: 1, ttlDays: 0 },
  ...{ acceptLossWindow: false, clock: systemClock },
  ...more,
})

/** Empties a keyspace: a new one would cost seconds. */
export async function truncateAll(options: CassandraOptions): Promise<void> {
  const session = await openSession(options)
  const tables = await session.run({
    query: 'SELECT table_name FROM system_schema.tables WHERE keyspace_name=?',
    params: [options.keyspace],
  })
  for (const row of tables)
    if (!String(row['table_name']).startsWith('schema_'))
      await session.runOnce(`TRUNCATE ${options.keyspace}.${String(row['table_name'])}`)
  await session.close()
}

const howTo = new URL('../../../docs/how-to/cassandra.md', import.meta.url)

/** The statements of a block of the how-to (its first comment names it), so that what is documented is what is tested. */
export function statementsOfDocs(block: string, names: Readonly<Record<string, string>>): readonly string[] {
  const blocks = [...readFileSync(howTo, 'utf8').matchAll(/```sql\n-- (\w+):.*\n([\s\S]*?)```/g)]
  const text = blocks.find(match => match[1] === block)?.[2]
  if (text === undefined) throw new Error(`the how-to has no block ${block}`)
  const named = text.replace(/\b[A-Z]+_PASSWORD\b|\bKEYSPACE_NAME\b/g, name => names[name] ?? name)
  return named
    .replace(/--.*$/gm, '')
    .split(';')
    .map(statement => statement.trim())
    .filter(statement => statement.includes(' '))
}
