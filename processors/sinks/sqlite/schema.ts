/**
 * Numbered steps of the store. A row of `quote` is one identity (provider, asset, currency, observedAt) with the values of its
 * newest version. `series`, `label` and `answer` are dictionaries, so that text which repeats is stored once.
 *
 * What readers see is made from the raw rows by the roll-up pass: `touched` is its queue (one row per stored batch),
 * `bar` and `latest` its result, `change` the feed of what it did.
 */
export const storeSchema: readonly string[] = [
  `
  CREATE TABLE series(
    id INTEGER PRIMARY KEY, provider TEXT NOT NULL, asset TEXT NOT NULL, currency TEXT NOT NULL,
    UNIQUE(provider, asset, currency)) STRICT;
  CREATE TABLE label(
    id INTEGER PRIMARY KEY, symbol TEXT NOT NULL, sourceId TEXT NOT NULL, UNIQUE(symbol, sourceId)) STRICT;
  CREATE TABLE answer(
    id INTEGER PRIMARY KEY, runId TEXT NOT NULL, credits INTEGER NOT NULL, rawRef TEXT NOT NULL,
    UNIQUE(rawRef, runId, credits)) STRICT;
  CREATE TABLE quote(
    series INTEGER NOT NULL, observedAt INTEGER NOT NULL, version INTEGER NOT NULL,
    price TEXT NOT NULL, priceFloat REAL NOT NULL,
    marketCap TEXT, volume24h TEXT, supply TEXT, change24h TEXT,
    receivedAt INTEGER NOT NULL, flags INTEGER NOT NULL, label INTEGER NOT NULL, answer INTEGER NOT NULL,
    PRIMARY KEY(series, observedAt)) STRICT, WITHOUT ROWID;
  CREATE TABLE position(
    grp TEXT NOT NULL, topic TEXT NOT NULL, part INTEGER NOT NULL, off INTEGER NOT NULL,
    PRIMARY KEY(grp, topic, part)) STRICT, WITHOUT ROWID;
  CREATE TABLE touched(id INTEGER PRIMARY KEY AUTOINCREMENT, buckets TEXT NOT NULL, newest TEXT NOT NULL) STRICT;
  CREATE TABLE bar(
    width INTEGER NOT NULL, series INTEGER NOT NULL, start INTEGER NOT NULL,
    open TEXT NOT NULL, high TEXT NOT NULL, low TEXT NOT NULL, close TEXT NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY(width, series, start)) STRICT, WITHOUT ROWID;
  CREATE TABLE latest(series INTEGER PRIMARY KEY, observedAt INTEGER NOT NULL) STRICT;
  CREATE TABLE change(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, series TEXT NOT NULL) STRICT;
  `,
  // Records beside quotes: `body` is the record, the other columns are to find it by. `market_latest` has the newest of each series.
  `
  CREATE TABLE market_record(
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, provider TEXT, asset TEXT, currency TEXT,
    at INTEGER NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
  CREATE INDEX market_record_at ON market_record(kind, at, id);
  CREATE INDEX market_record_asset ON market_record(kind, asset, at, id) WHERE asset IS NOT NULL;
  CREATE TABLE market_latest(series TEXT PRIMARY KEY, kind TEXT NOT NULL, at INTEGER NOT NULL, id TEXT NOT NULL) STRICT, WITHOUT ROWID;
  `,
]

/** Widths of the roll-ups in ms; `bar.width` holds them, `bar.start` is in whole widths since the epoch. */
export const rollUpWidthsMs = [60_000, 3_600_000, 86_400_000] as const
