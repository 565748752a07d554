import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Credits } from '../../../core/brands.ts'
import { systemClock } from '../../../host/clock.ts'
import { stackServers, uniqueName } from '../../../test/stack/servers.ts'
import { answerOf, scope, slotAt, spec } from '../../ledger.fixture.ts'
import { openPostgresLedger, type PostgresLedgerOptions } from '../postgres.ts'

const folder = mkdtempSync(join(tmpdir(), 'cryptos-servers-'))
const { now } = systemClock
let admin: pg.Client

beforeAll(async () => {
  admin = new pg.Client({ connectionString: stackServers().postgres.adminUrl })
  await admin.connect()
})
afterAll(async () => {
  await admin.end()
  rmSync(folder, { recursive: true })
})

const open = (more: Partial<PostgresLedgerOptions> = {}) => {
  const schema = more.schema ?? uniqueName('srv')
  const spoolFolder = join(folder, schema)
  return openPostgresLedger({
    url: stackServers().postgres.url,
    schema,
    spoolFolder,
    clock: systemClock,
    ...more,
  })
}
const changed = (change: (url: URL) => void): string => {
  const url = new URL(stackServers().postgres.url)
  change(url)
  return url.href
}
const ask = (reservationId: string, slot: string | null = null) => ({
  scope,
  reservationId,
  costMax: Credits(1),
  slot,
  now: now(),
})

describe('a PostgreSQL server that is not as it should be', () => {
  it.each([
    [
      'a wrong password',
      { password: 'hunter2-wrong' },
      'CRY_SERVER_REFUSED',
      'refuses the user or the password',
    ],
    ['no such database', { url: 'database' }, 'CRY_SERVER_CONFIG', 'has no such database'],
    ['nobody there', { url: 'port' }, 'CRY_LEDGER_UNAVAILABLE', 'ECONNREFUSED'],
    ['TLS that it does not speak', { tls: {} }, 'CRY_SERVER_CONFIG', 'does not speak TLS'],
  ] as const)('is told in one sentence without a secret: %s', async (_, how, code, text) => {
    const { url: wrong, ...rest } = { url: undefined, ...how }
    const url = changed(u => {
      if (wrong === 'database') u.pathname = '/nowhere'
      if (wrong === 'port') u.port = '1'
    })
    const error = (await open({ url, ...rest }).catch((reason: unknown) => reason)) as Error
    expect(error).toMatchObject({ code })
    expect(error.message).toContain(text)
    const { password } = new URL(stackServers().postgres.url)
    for (const secret of [password, 'hunter2'])
      expect(`${error.message}${String(error.cause)}`).not.toContain(secret)
  })

  it('gives up in time where a server takes the connection and says nothing', async () => {
    const silent = createServer(socket => socket.on('error', () => undefined))
    await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as { port: number }
    const begun = performance.now()
    const url = changed(u => {
      u.port = String(port)
    })
    await expect(open({ url })).rejects.toMatchObject({ code: 'CRY_LEDGER_UNAVAILABLE' })
    expect(performance.now() - begun).toBeLessThan(20_000)
    silent.close()
  })

  it('is refused where it does not allow a schema, is newer, or would not keep a permit', async () => {
    const user = uniqueName('poor')
    await admin.query(`CREATE ROLE ${user} LOGIN PASSWORD 'poor'`)
    const url = changed(u => Object.assign(u, { username: user, password: 'poor' }))
    await expect(open({ url })).rejects.toMatchObject({ code: 'CRY_SERVER_REFUSED' })

    const schema = uniqueName('newer')
    await (await open({ schema })).close()
    await admin.query(`UPDATE "${schema}".migrations SET version = 99`)
    await expect(open({ schema })).rejects.toMatchObject({ code: 'CRY_STORE_NEWER' })

    // What a database says by default does not count: each connection asks for a durable commit.
    await admin.query('ALTER DATABASE cryptos SET synchronous_commit = off')
    const ledger = await open()
    await admin.query('ALTER DATABASE cryptos RESET synchronous_commit')
    await ledger.close()
  })

  it('is prepared once by processes that start together', async () => {
    const schema = uniqueName('together')
    const ledgers = await Promise.all(Array.from({ length: 6 }, () => open({ schema })))
    await Promise.all(ledgers.map(ledger => ledger.openScope(spec, now())))
    const events = await ledgers[0]?.events({ limit: 9, after: 0 })
    expect(events?.map(e => [e.sequence, e.what])).toEqual([[1, 'opened']])
    await Promise.all(ledgers.map(ledger => ledger.close()))
  })
})

describe('a PostgreSQL ledger in trouble', () => {
  it('keeps a settlement in the spool where the disk of the server is full, and spends nothing', async () => {
    const schema = uniqueName('full')
    const ledger = await open({ schema })
    await ledger.openScope(spec, now())
    await ledger.reserve(ask('a', slotAt(0)))
    await admin.query(`CREATE FUNCTION "${schema}".no_space() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
      CREATE TRIGGER no_space BEFORE INSERT OR UPDATE ON "${schema}".scopes EXECUTE FUNCTION "${schema}".no_space()`)
    await expect(ledger.reserve(ask('b'))).rejects.toMatchObject({ code: 'CRY_DISK_FULL' })
    const charge = { kind: 'known', credits: Credits(1) } as const
    const answer = answerOf(slotAt(0), 1, now())
    await ledger.settle({
      scope,
      reservationId: 'a',
      charge,
      providerDate: null,
      now: now(),
      why: 'test',
      answer,
    })
    await expect(ledger.outbox.pending(9)).rejects.toMatchObject({ code: 'CRY_DISK_FULL' })
    await admin.query(`DROP TRIGGER no_space ON "${schema}".scopes`)
    expect(await ledger.outbox.pending(9)).toHaveLength(1)
    expect((await ledger.status(now()))[0]?.windows.at(-1)).toMatchObject({ used: 1, reserved: 0 })
    await ledger.close()
  })

  it('works on when its connections are ended, also while they are idle', async () => {
    const ledger = await open()
    await ledger.openScope(spec, now())
    for (let round = 0; round < 5; round += 1) {
      await Promise.all([ledger.status(now()), ledger.reserve(ask(`r${round}`))])
      const { rows } = await admin.query<{ ended: boolean }>(
        `SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity WHERE application_name = 'cryptos' AND usename = 'cryptos'`,
      )
      expect(rows.filter(row => row.ended).length).toBeGreaterThan(0)
    }
    expect(await ledger.reserve(ask('last'))).toMatchObject({ kind: 'granted' })
    expect((await ledger.status(now()))[0]?.windows.at(-1)).toMatchObject({ reserved: 6 })
    await ledger.close()
  })

  it('reads all anew after a fail-over to a state that came to the same version in another way', async () => {
    const schema = uniqueName('lagged')
    const [ledger, other] = [await open({ schema }), await open({ schema })]
    await ledger.openScope(spec, now())
    const tables = ['ledger', 'scopes', 'events']
    for (const table of tables)
      await admin.query(`CREATE TABLE "${schema}".${table}_then AS TABLE "${schema}".${table}`)
    await ledger.reserve(ask('lost'))
    // What the standby did not get is lost, and so are the connections.
    for (const table of tables)
      await admin.query(`DELETE FROM "${schema}".${table};
        INSERT INTO "${schema}".${table} OVERRIDING SYSTEM VALUE TABLE "${schema}".${table}_then`)
    await admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cryptos' AND usename = 'cryptos'`,
    )
    await other.reserve({ ...ask('theirs'), costMax: Credits(3) })
    await ledger.reserve(ask('ours'))
    expect((await ledger.status(now()))[0]?.windows.at(-1)).toMatchObject({ reserved: 4 })
    await Promise.all([ledger.close(), other.close()])
  })

  it('says that it is busy where another process holds the ledger for long, and goes on after it', async () => {
    const schema = uniqueName('busy')
    const ledger = await open({ schema })
    await ledger.openScope(spec, now())
    await admin.query(`BEGIN; SELECT * FROM "${schema}".ledger FOR UPDATE`)
    await expect(ledger.reserve(ask('a'))).rejects.toMatchObject({ code: 'CRY_STORE_BUSY' })
    await admin.query('ROLLBACK')
    expect(await ledger.reserve(ask('a'))).toMatchObject({ kind: 'granted' })
    await ledger.close()
  })

  it('spares the neighbours of a value that the server can not store', async () => {
    const ledger = await open()
    await ledger.openScope(spec, now())
    await Promise.all(['a', 'b'].map((id, page) => ledger.reserve(ask(id, slotAt(page)))))
    const charge = { kind: 'known', credits: Credits(1) } as const
    const settle = (reservationId: string, page: number, runId: string) => {
      const answer = { ...answerOf(slotAt(page), 1, now()), runId }
      return ledger.settle({
        scope,
        reservationId,
        charge,
        providerDate: null,
        now: now(),
        why: 'test',
        answer,
      })
    }
    const [bad, good] = await Promise.allSettled([settle('a', 0, 'nul \u0000'), settle('b', 1, 'run')])
    expect(bad).toMatchObject({ status: 'rejected', reason: { code: 'CRY_VALUE_INVALID' } })
    expect(good).toMatchObject({ status: 'fulfilled' })
    expect(await ledger.outbox.pending(9)).toHaveLength(1)
    await ledger.close()
  })
})
