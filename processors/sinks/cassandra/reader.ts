import { CryptosError } from '../../../core/errors.ts'
import type { CassandraOptions } from './options.ts'
import { CassandraQuoteReader } from './quote-reader.ts'
import { appliedSteps, hasKeyspace, newestStep } from './schema.ts'
import { openSession } from './session.ts'
import type { Session } from './session.ts'

/**
 * Opens the store of one keyspace for reading; a user with SELECT on it is enough.
 * @throws CryptosError CRY_SERVER_UNREACHABLE, CRY_SERVER_REFUSED, CRY_STORE_NEWER, CRY_CONFIG_INVALID; CRY_SERVER_CONFIG when there is no store yet
 */
export async function openCassandraReader(options: CassandraOptions): Promise<CassandraQuoteReader> {
  const session = await openSession(options)
  try {
    await needStore(session)
    return new CassandraQuoteReader(session)
  } catch (error) {
    await session.close()
    throw error
  }
}

async function needStore(session: Session): Promise<void> {
  const missing = (what: string): CryptosError =>
    new CryptosError(
      'CRY_SERVER_CONFIG',
      `Cassandra at ${session.server} ${what}: run \`cryptos process\` once, or correct the name of the keyspace`,
    )
  if (!(await hasKeyspace(session))) throw missing(`has no keyspace ${session.keyspace} yet`)
  const newest = Math.max(0, ...(await appliedSteps(session)))
  if (newest < newestStep()) throw missing(`has schema ${newest} in the keyspace ${session.keyspace}`)
}
