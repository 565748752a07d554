/**
 * Steps of the ledger's file, applied in order (PRAGMA user_version). `scopes` has a rowid, so that a state of up to 4 KB stays in
 * its leaf page. `slots` is found and listed by its key alone. Bodies lie apart, so that marking an entry does not rewrite them.
 */
export const ledgerSchema: readonly string[] = [
  `CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE scopes(id INTEGER PRIMARY KEY, scope TEXT NOT NULL UNIQUE, version INTEGER NOT NULL, state TEXT NOT NULL) STRICT;
  CREATE TABLE slots(
    slot TEXT PRIMARY KEY, state TEXT NOT NULL, attempts INTEGER NOT NULL, scope TEXT NOT NULL, reservation_id TEXT NOT NULL,
    reserved_at INTEGER NOT NULL, deadline INTEGER NOT NULL, answer_id TEXT, updated_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE events(sequence INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
  CREATE TABLE outbox(
    id INTEGER PRIMARY KEY, answer_id TEXT NOT NULL UNIQUE, provider TEXT NOT NULL, dataset TEXT NOT NULL, slot TEXT NOT NULL,
    run_id TEXT NOT NULL, received_at INTEGER NOT NULL, http_status INTEGER NOT NULL, context TEXT NOT NULL,
    credits INTEGER NOT NULL, size INTEGER NOT NULL, published_at INTEGER
  ) STRICT;
  CREATE TABLE bodies(id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
  CREATE INDEX outbox_pending ON outbox(id, size, received_at) WHERE published_at IS NULL;
  CREATE INDEX outbox_received ON outbox(received_at, id);
  CREATE TABLE lease(one INTEGER PRIMARY KEY CHECK (one = 1), holder TEXT NOT NULL, until INTEGER NOT NULL) STRICT;
  CREATE TABLE runs(id INTEGER PRIMARY KEY, run_id TEXT NOT NULL UNIQUE, body TEXT NOT NULL) STRICT;`,
  'ALTER TABLE outbox ADD COLUMN revision INTEGER NOT NULL DEFAULT 0',
  'ALTER TABLE bodies ADD COLUMN packed INTEGER NOT NULL DEFAULT 0',
  `CREATE TABLE spending(
    day INTEGER NOT NULL, scope TEXT NOT NULL, month INTEGER NOT NULL, spender TEXT NOT NULL, dataset TEXT NOT NULL,
    calls INTEGER NOT NULL, credits INTEGER NOT NULL, PRIMARY KEY (day, scope, month, spender, dataset)
  ) STRICT, WITHOUT ROWID`,
]
