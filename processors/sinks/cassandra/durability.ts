import { CryptosError, isCryptosError } from '../../../core/errors.ts'
import type { CassandraOptions } from './options.ts'
import type { Session } from './session.ts'

/**
 * Refuses a server whose word is worth less than ours: where one node alone has a row and writes its commit log only now and then
 * (`commitlog_sync: periodic`, the default), a killed node forgets rows that it told were stored. Where several nodes share rows of
 * which each has one copy, only the node that was asked tells how it writes its own, so that nobody can know it of the others.
 * @throws CryptosError CRY_SERVER_CONFIG
 */
export async function checkDurability(session: Session, options: CassandraOptions): Promise<void> {
  if (options.acceptLossWindow) return
  if (session.nodes > 1) {
    if ((await copies(session, options)) > 1) return
    throw new CryptosError(
      'CRY_SERVER_CONFIG',
      `Cassandra at ${session.server} has ${session.nodes} nodes, but ${options.keyspace} has one copy of each row: how each of them writes its commit log can not be asked, so acknowledged rows can be lost when one dies: raise the replication of the keyspace to 3, or accept that with CRYPTOS_CASSANDRA_ACCEPT_LOSS_WINDOW=true`,
    )
  }
  const sync = await commitLogSync(session)
  if (sync !== 'periodic' && sync !== undefined) return
  throw new CryptosError(
    'CRY_SERVER_CONFIG',
    `Cassandra at ${session.server} ${sync === undefined ? 'does not tell how it writes its commit log (grant SELECT on system_views.settings), and' : 'writes its commit log only now and then, so'} rows that it has acknowledged can be lost when it dies: set commitlog_sync: batch in its cassandra.yaml, or accept that with CRYPTOS_CASSANDRA_ACCEPT_LOSS_WINDOW=true`,
  )
}

/** Of each row in the data centre: those of the keyspace, or those that it will be made with. */
async function copies(
  session: Session,
  { keyspace, datacenter, replication }: CassandraOptions,
): Promise<number> {
  const query = 'SELECT replication FROM system_schema.keyspaces WHERE keyspace_name=?'
  const [row] = await session.run({ query, params: [keyspace] })
  const there = row?.['replication'] as Readonly<Record<string, string>> | undefined
  return there ? Number(there[datacenter] ?? there['replication_factor'] ?? 1) : replication
}

/** undefined = the user may not know. */
async function commitLogSync(session: Session): Promise<string | undefined> {
  try {
    const query = "SELECT value FROM system_views.settings WHERE name='commitlog_sync'"
    const [row] = await session.run({ query, params: [] })
    return String(row?.['value'] ?? '').toLowerCase() || undefined
  } catch (error) {
    if (isCryptosError(error) && error.code === 'CRY_SERVER_REFUSED') return undefined
    throw error
  }
}
