/**
 * Numbered steps of the log file. `log` is keyed by place, so that a consumer reads a range of the table itself;
 * `part` keeps the ends, because retention may remove every row of a partition and offsets must never start again.
 */
export const embeddedSchema: readonly string[] = [
  `
  CREATE TABLE topic(
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, partitions INTEGER NOT NULL,
    retentionMs INTEGER NOT NULL, maxMessageBytes INTEGER NOT NULL) STRICT;
  CREATE TABLE part(
    topic INTEGER NOT NULL, part INTEGER NOT NULL, first INTEGER NOT NULL, next INTEGER NOT NULL,
    PRIMARY KEY(topic, part)) STRICT, WITHOUT ROWID;
  CREATE TABLE log(
    topic INTEGER NOT NULL, part INTEGER NOT NULL, off INTEGER NOT NULL,
    k TEXT NOT NULL, v BLOB, h TEXT NOT NULL, ts INTEGER NOT NULL,
    PRIMARY KEY(topic, part, off)) STRICT, WITHOUT ROWID;
  CREATE TABLE grp(
    g TEXT NOT NULL, topic INTEGER NOT NULL, part INTEGER NOT NULL, off INTEGER NOT NULL,
    PRIMARY KEY(g, topic, part)) STRICT, WITHOUT ROWID;
  `,
]
