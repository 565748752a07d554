import { CryptosError } from '../../../core/errors.ts'
import type { Server, Session } from './server.ts'

/**
 * Steps of the ledger's tables, applied in order. `ledger` is one row that every writing transaction locks first: it numbers events
 * without holes and tells by `version` that somebody else wrote. Keys sort by bytes, as they do in the program.
 */
const steps: readonly string[] = [
  `CREATE TABLE ledger(
    one integer PRIMARY KEY CHECK (one = 1), name text NOT NULL, version bigint NOT NULL, sequence bigint NOT NULL,
    pending_bytes bigint NOT NULL, frozen text, pruned_before bigint NOT NULL, clock text NOT NULL
  ) WITH (fillfactor = 20);
  INSERT INTO ledger VALUES (1, gen_random_uuid()::text, 1, 0, 0, NULL, 0, '');
  CREATE TABLE scopes(
    id bigint GENERATED ALWAYS AS IDENTITY, scope text COLLATE "C" PRIMARY KEY, version bigint NOT NULL, written bigint NOT NULL,
    state text NOT NULL
  ) WITH (fillfactor = 50);
  CREATE TABLE slots(
    slot text COLLATE "C" PRIMARY KEY, state text COLLATE "C" NOT NULL, attempts integer NOT NULL, scope text NOT NULL,
    reservation_id text NOT NULL, reserved_at bigint NOT NULL, deadline bigint NOT NULL, answer_id text, updated_at bigint NOT NULL
  );
  CREATE TABLE events(sequence bigint PRIMARY KEY, body text NOT NULL);
  CREATE TABLE outbox(
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, answer_id text COLLATE "C" NOT NULL UNIQUE, provider text NOT NULL,
    dataset text NOT NULL, slot text COLLATE "C" NOT NULL, run_id text NOT NULL, received_at bigint NOT NULL,
    http_status integer NOT NULL, context text NOT NULL, credits bigint NOT NULL, size bigint NOT NULL, published_at bigint,
    revision integer NOT NULL DEFAULT 0, packed boolean NOT NULL, body bytea NOT NULL
  );
  CREATE INDEX outbox_pending ON outbox(id, size, received_at) WHERE published_at IS NULL;
  CREATE INDEX outbox_received ON outbox(received_at, id);
  CREATE INDEX outbox_published ON outbox(published_at) WHERE published_at IS NOT NULL;
  CREATE TABLE lease(one integer PRIMARY KEY CHECK (one = 1), holder text NOT NULL, until bigint NOT NULL);
  CREATE TABLE runs(id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, run_id text NOT NULL UNIQUE, body text NOT NULL);`,
  `CREATE TABLE spending(
    day bigint NOT NULL, scope text COLLATE "C" NOT NULL, month bigint NOT NULL, spender text COLLATE "C" NOT NULL,
    dataset text COLLATE "C" NOT NULL, calls bigint NOT NULL, credits bigint NOT NULL,
    PRIMARY KEY (day, scope, month, spender, dataset)
  )`,
]

/** @throws CryptosError CRY_STORE_NEWER, CRY_SERVER_REFUSED, CRY_SERVER_CONFIG */
export async function prepare(server: Server): Promise<void> {
  await server.session(async session => {
    await checkDurable(session, server.name)
    if ((await versionOf(session, server)) === steps.length) return
    await session.query('BEGIN')
    // Two processes that start together: one makes the tables, the other finds them.
    await session.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`cryptos/${server.schema}`])
    await makeSchema(session, server.schema)
    const from = await versionOf(session, server)
    for (const step of steps.slice(from)) await session.query(step)
    await session.query(
      'CREATE TABLE IF NOT EXISTS migrations(one integer PRIMARY KEY CHECK (one = 1), version integer NOT NULL)',
    )
    await session.query(
      'INSERT INTO migrations VALUES (1, $1) ON CONFLICT (one) DO UPDATE SET version = excluded.version',
      [steps.length],
    )
    await session.query('COMMIT')
  })
}

/** Rule 1: durable before a byte is sent. */
async function checkDurable(session: Session, name: string): Promise<void> {
  const { rows } = await session.query<{ commit: string; fsync: string; standby: boolean }>(
    `SELECT current_setting('synchronous_commit') AS commit, current_setting('fsync') AS fsync, pg_is_in_recovery() AS standby`,
  )
  const seen = rows[0]
  const refuse = (what: string): CryptosError =>
    new CryptosError('CRY_SERVER_CONFIG', `the quota ledger at ${name} ${what}`)
  if (seen?.standby) throw refuse('is a standby, which can not be written: connect to the primary server')
  if (seen?.fsync !== 'on') throw refuse('runs with fsync = off: a permit would not be durable; turn it on')
  if (seen.commit !== 'on' && seen.commit !== 'remote_apply')
    throw refuse(`runs with synchronous_commit = ${seen.commit}: a permit would not be durable; set it to on`)
}

/** Looked up first: making what is there already wants a right that a careful administrator does not give. */
async function makeSchema(session: Session, schema: string): Promise<void> {
  const { rowCount } = await session.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema])
  if (!rowCount) await session.query(`CREATE SCHEMA "${schema}"`)
}

async function versionOf(session: Session, { schema, name }: Server): Promise<number> {
  const { rows: found } = await session.query<{ is: boolean }>('SELECT to_regclass($1) IS NOT NULL AS is', [
    `"${schema}".migrations`,
  ])
  if (!found[0]?.is) return 0
  const { rows } = await session.query<{ version: number }>('SELECT version FROM migrations')
  const version = rows[0]?.version ?? 0
  if (version > steps.length)
    throw new CryptosError(
      'CRY_STORE_NEWER',
      `the quota ledger at ${name} has schema ${version}, this program knows ${steps.length}: update cryptos`,
    )
  return version
}
