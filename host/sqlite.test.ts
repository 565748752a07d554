import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type CryptosError, classify, errorKinds } from '../core/errors.ts'
import { migrate } from './migrations.ts'
import { isInputOutputError, mapError } from './sqlite-errors.ts'
import { SqlDb, type SqlValue } from './sqlite.ts'

let folder = ''
let open: SqlDb[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cryptos-sqlite-'))
  open = []
})
afterEach(() => {
  for (const db of open) db.close()
  rmSync(folder, { recursive: true })
})

function database(name = 'a/x.db', lockDeadlineMs = 50): SqlDb {
  const db = new SqlDb(join(folder, name), { synchronous: 'FULL', lockDeadlineMs })
  open.push(db)
  return db
}

const codeOf = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    return (error as CryptosError).code
  }
  return 'nothing thrown'
}

describe('what node:sqlite takes silently is refused', () => {
  it('missing and surplus parameters, objects, a second statement', () => {
    const db = database()
    db.exec('CREATE TABLE t(a INTEGER, b TEXT)')
    const insert = db.prepare("INSERT INTO t VALUES (?, 'is ? this')")
    expect(codeOf(() => insert.run())).toBe('CRY_INTERNAL')
    expect(codeOf(() => insert.run(1, 2))).toBe('CRY_INTERNAL')
    expect(codeOf(() => insert.run(new Date() as unknown as SqlValue))).toBe('CRY_INTERNAL')
    expect(codeOf(() => insert.run(undefined as unknown as SqlValue))).toBe('CRY_INTERNAL')
    expect(codeOf(() => db.prepare('SELECT 1; DROP TABLE t'))).toBe('CRY_INTERNAL')
    expect(insert.run(1).changes).toBe(1)
    expect(db.prepare('SELECT a, b FROM t').get()).toMatchObject({ a: 1, b: 'is ? this' })
  })
  it('an integer beyond 2^53 is an error, never another number', () => {
    const db = database()
    expect(() => db.prepare('SELECT 9007199254740993 AS n').get()).toThrow()
  })
})

describe('transactions', () => {
  it('roll back what was done before a throw, and refuse async work', () => {
    const db = database()
    db.exec('CREATE TABLE t(a INTEGER)')
    const insert = db.prepare('INSERT INTO t VALUES (?)')
    const failing = (): void => {
      insert.run(1)
      throw new Error('planned')
    }
    expect(() => db.transactionNow(failing)).toThrow('planned')
    expect(codeOf(() => db.transactionNow(async () => insert.run(2)))).toBe('CRY_INTERNAL')
    expect(db.prepare('SELECT count(*) AS n FROM t').get()?.['n']).toBe(0)
  })
  it('wait for another writer up to the deadline, then say CRY_STORE_BUSY', async () => {
    const holder = database()
    const waiter = database()
    holder.exec('CREATE TABLE t(a INTEGER)')
    holder.exec('BEGIN IMMEDIATE')
    await expect(waiter.transaction(() => 1)).rejects.toMatchObject({ code: 'CRY_STORE_BUSY' })
    const patient = database('a/x.db', 10_000)
    const waiting = patient.transaction(() => 2)
    holder.exec('COMMIT')
    expect(await waiting).toBe(2)
  })
  it('keep every increment of four connections that write at once', async () => {
    const first = database()
    first.exec('CREATE TABLE t(n INTEGER); INSERT INTO t VALUES (0)')
    const writers = [
      first,
      database('a/x.db', 10_000),
      database('a/x.db', 10_000),
      database('a/x.db', 10_000),
    ]
    const add = async (db: SqlDb): Promise<void> => {
      const read = db.prepare('SELECT n FROM t')
      const write = db.prepare('UPDATE t SET n = ?')
      for (let i = 0; i < 25; i += 1) await db.transaction(() => write.run(Number(read.get()?.['n']) + 1))
    }
    await Promise.all(writers.map(add))
    expect(first.prepare('SELECT n FROM t').get()?.['n']).toBe(100)
  })
})

describe('files', () => {
  it('are private to the user, whatever the umask', () => {
    const umask = process.umask(0)
    try {
      database()
    } finally {
      process.umask(umask)
    }
    expect(statSync(join(folder, 'a')).mode & 0o777).toBe(0o700)
    expect(statSync(join(folder, 'a/x.db')).mode & 0o777).toBe(0o600)
  })
  it('that are damaged say CRY_STORE_CORRUPT, naming the file', () => {
    const file = join(folder, 'bad.db')
    writeFileSync(file, 'this is no database, and it is long enough to be read as a header of one'.repeat(60))
    expect(codeOf(() => database('bad.db'))).toBe('CRY_STORE_CORRUPT')
    expect(() => database('bad.db')).toThrow(file)
  })
  it('in a place that can not be made say CRY_STORE_UNWRITABLE', () => {
    writeFileSync(join(folder, 'file'), '')
    expect(codeOf(() => database('file/x.db'))).toBe('CRY_STORE_UNWRITABLE')
  })
  it('opened read-only can not be written', () => {
    database().exec('CREATE TABLE t(a INTEGER)')
    chmodSync(join(folder, 'a/x.db'), 0o600)
    const reader = new SqlDb(join(folder, 'a/x.db'), { synchronous: 'NORMAL', readOnly: true })
    open.push(reader)
    expect(codeOf(() => reader.exec('INSERT INTO t VALUES (1)'))).toBe('CRY_STORE_UNWRITABLE')
  })
})

describe('a full disk', () => {
  it('says CRY_DISK_FULL and loses nothing that was acknowledged', () => {
    const db = database()
    db.exec('CREATE TABLE t(a TEXT)')
    db.prepare('INSERT INTO t VALUES (?)').run('kept')
    db.exec('PRAGMA max_page_count=3')
    const big = db.prepare('INSERT INTO t VALUES (?)')
    expect(codeOf(() => big.run('x'.repeat(100_000)))).toBe('CRY_DISK_FULL')
    expect(
      db
        .prepare('SELECT a FROM t')
        .all()
        .map(r => r['a']),
    ).toEqual(['kept'])
  })
})

describe('what SQLite says about the disk', () => {
  const said = (errcode: number, message = 'disk I/O error') =>
    mapError(Object.assign(new Error(message), { errcode }), 'x.db')
  it('is a broken store after a failed sync, write or read: stop, and try again', () => {
    for (const errcode of [1_034, 778, 266]) {
      const error = said(errcode)
      expect([error.code, classify(error)]).toEqual(['CRY_STORE_BROKEN', 'stop'])
      expect(errorKinds[error.code].exit).toBe(1)
      expect(isInputOutputError(error.cause)).toBe(true)
    }
  })
  it('is a full disk where only the shared memory could not grow, and the handle stays', () => {
    const error = said(4_874)
    expect([error.code, classify(error)]).toEqual(['CRY_DISK_FULL', 'retry'])
    expect(isInputOutputError(error.cause)).toBe(false)
  })
  it('of a table that somebody took away is damage, not a defect', () => {
    const db = database()
    db.exec('CREATE TABLE t(a INTEGER)')
    const read = db.prepare('SELECT a FROM t')
    const other = database()
    other.exec('DROP TABLE t')
    expect(codeOf(() => read.get())).toBe('CRY_STORE_CORRUPT')
    expect(codeOf(() => db.prepare('SELECT oops'))).toBe('CRY_STORE_CORRUPT')
    expect(codeOf(() => db.prepare('SELEC 1'))).toBe('CRY_INTERNAL')
  })
})

describe('migrations', () => {
  it('run once each, in order, and refuse a file of a newer program', async () => {
    const db = database()
    await migrate(db, ['CREATE TABLE a(x INTEGER)'])
    await migrate(db, ['CREATE TABLE a(x INTEGER)', 'CREATE TABLE b(x INTEGER)'])
    expect(db.prepare('PRAGMA user_version').get()?.['user_version']).toBe(2)
    await expect(migrate(db, ['CREATE TABLE a(x INTEGER)'])).rejects.toMatchObject({
      code: 'CRY_STORE_NEWER',
    })
  })
  it('of two processes at once apply every step once', async () => {
    const steps = ['CREATE TABLE a(x INTEGER)', 'INSERT INTO a VALUES (1)']
    const [one, two] = [database('a/x.db', 10_000), database('a/x.db', 10_000)]
    await Promise.all([migrate(one, steps), migrate(two, steps)])
    expect(one.prepare('SELECT count(*) AS n FROM a').get()?.['n']).toBe(1)
  })
})

describe('opening beside other processes', () => {
  it('a file that one connection opens and closes all the time is opened by another each time', async () => {
    database().exec('CREATE TABLE t(a INTEGER)')
    const file = join(folder, 'a/x.db')
    const script = `const { DatabaseSync } = require('node:sqlite'); process.stdout.write('.')
      for (;;) { try { const d = new DatabaseSync(${JSON.stringify(file)}); d.exec('INSERT INTO t VALUES (1)'); d.close() } catch (e) { if ((e.errcode & 255) !== 5) throw e } }`
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    const gone = once(child, 'exit')
    await once(child.stdout, 'data')
    const rows: number[] = []
    // Until the other was seen at its work often enough, however fast either is.
    while (rows.length < 30 || new Set(rows).size < 10) {
      const readOnly = rows.length % 2 === 0
      const db = new SqlDb(file, { synchronous: 'NORMAL', readOnly, lockDeadlineMs: 5_000 })
      rows.push(Number(db.prepare('SELECT count(*) AS n FROM t').get()?.['n']))
      db.close()
    }
    child.kill('SIGKILL')
    expect(await gone).toEqual([null, 'SIGKILL'])
  })
})
