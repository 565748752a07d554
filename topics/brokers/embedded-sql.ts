import type { EpochMicros } from '../../core/brands.ts'
import type { StoredMessage, TopicSpec } from '../../core/ports/broker.ts'
import type { SqlDb, SqlRow, Statement } from '../../host/sqlite.ts'

export interface TopicEntry {
  readonly id: number
  readonly spec: TopicSpec
}

/** Every statement over the log file. */
export function prepareLog(db: SqlDb) {
  const p = (sql: string): Statement => db.prepare(sql)
  return {
    topics: p('SELECT id, name, partitions, retentionMs, maxMessageBytes FROM topic'),
    // The number of partitions stays: another one would move keys.
    addTopic: p(
      `INSERT INTO topic(name, partitions, retentionMs, maxMessageBytes) VALUES(?,?,?,?) ON CONFLICT(name)
       DO UPDATE SET retentionMs=excluded.retentionMs, maxMessageBytes=excluded.maxMessageBytes`,
    ),
    addPart: p('INSERT INTO part(topic, part, first, next) VALUES(?,?,0,0) ON CONFLICT DO NOTHING'),
    state: p('SELECT first, next FROM part WHERE topic=? AND part=?'),
    append: p('INSERT INTO log(topic, part, off, k, v, h, ts) VALUES(?,?,?,?,?,?,?)'),
    setNext: p('UPDATE part SET next=? WHERE topic=? AND part=?'),
    setFirst: p('UPDATE part SET first=? WHERE topic=? AND part=?'),
    fetch: p('SELECT off, k, v, h, ts FROM log WHERE topic=? AND part=? AND off>=? ORDER BY off LIMIT ?'),
    sizes: p(
      `SELECT coalesce(length(v), 0) + length(k) + length(h) AS bytes
       FROM log WHERE topic=? AND part=? AND off>=? ORDER BY off LIMIT ?`,
    ),
    firstSince: p(
      'SELECT off FROM log WHERE topic=? AND part=? AND off>=? AND off<? AND ts>=? ORDER BY off LIMIT 1',
    ),
    cut: p('DELETE FROM log WHERE topic=? AND part=? AND off<?'),
    committed: p(
      'SELECT name, part, off FROM grp JOIN topic ON topic.id=grp.topic WHERE g=? ORDER BY name, part',
    ),
    offset: p('SELECT off FROM grp WHERE g=? AND topic=? AND part=?'),
    commit: p(
      `INSERT INTO grp(g, topic, part, off) VALUES(?,?,?,?) ON CONFLICT(g, topic, part)
       DO UPDATE SET off=excluded.off WHERE excluded.off > grp.off`,
    ),
  }
}

export const topicEntry = (row: SqlRow): TopicEntry => ({
  id: Number(row['id']),
  spec: {
    name: String(row['name']),
    partitions: Number(row['partitions']),
    retentionMs: Number(row['retentionMs']),
    maxMessageBytes: Number(row['maxMessageBytes']),
  },
})

export const storedMessage = (topic: string, partition: number, row: SqlRow): StoredMessage => ({
  topic,
  partition,
  offset: Number(row['off']),
  key: String(row['k']),
  value: row['v'] instanceof Uint8Array ? row['v'] : null,
  headers: JSON.parse(String(row['h'])) as Record<string, string>,
  timestamp: Number(row['ts']) as EpochMicros,
})
