import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EpochMicros } from '../../../core/brands.ts'
import { CryptosError } from '../../../core/errors.ts'
import type { ThrowAwayStack } from '../../../test/stack/servers.ts'
import { throwAwayStack } from '../../../test/stack/servers.ts'
import { flagAt, marketSource } from '../../market.contract.ts'
import { all, quote, sourceAt } from '../../sink.contract.ts'
import { openInfluxReader } from './reader.ts'
import { openInfluxSink } from './sink.ts'
import type { InfluxOptions } from './sink.ts'
import { storeOptions } from './stack.contract.ts'

const always = { from: EpochMicros(0), to: EpochMicros(9e15) }
const password = 's3cret-of-a-test'

describe('a server with logins', () => {
  let stack: ThrowAwayStack
  let options: InfluxOptions
  const as = (username: string, word = password): InfluxOptions => ({
    ...options,
    login: { username, password: word },
  })
  async function tell(q: string, login?: string): Promise<Response> {
    const headers = login === undefined ? {} : { authorization: `Token ${login}:${password}` }
    const body = new URLSearchParams({ q })
    return await fetch(`${options.url}/query`, { method: 'POST', headers, body })
  }
  beforeAll(async () => {
    stack = await throwAwayStack({
      servers: ['influxdb'],
      settings: { influxdb: { 'http.auth-enabled': 'true' } },
    })
    options = storeOptions({ url: stack.addresses.influxdb.url })
    await tell(`CREATE USER admin WITH PASSWORD '${password}' WITH ALL PRIVILEGES`)
    const db = options.database
    for (const q of [
      `CREATE DATABASE "${db}"`,
      ...['writer', 'reader', 'both', 'nobody'].map(
        user => `CREATE USER ${user} WITH PASSWORD '${password}'`,
      ),
      `GRANT WRITE ON "${db}" TO writer`,
      `GRANT READ ON "${db}" TO reader`,
      `GRANT ALL ON "${db}" TO both`,
    ])
      expect(((await (await tell(q, 'admin')).json()) as { results: unknown[] }).results).toEqual([
        { statement_id: 0 },
      ])
  })
  afterAll(() => stack.stop())

  const failure = async (work: Promise<unknown>): Promise<CryptosError> => {
    const error = await work.then(
      () => undefined,
      (e: unknown) => e,
    )
    if (!(error instanceof CryptosError)) throw new Error('it did not fail as it should')
    expect(`${error.message} ${String(error.cause)}`).not.toContain(password)
    return error
  }

  it('answers an anonymous query with 401, which is CRY_SERVER_REFUSED', async () => {
    expect((await tell('SHOW DATABASES')).status).toBe(401)
    expect(await failure(openInfluxSink(options))).toMatchObject({ code: 'CRY_SERVER_REFUSED' })
  })

  it('refuses a wrong password and an unknown user', async () => {
    for (const wrong of [as('both', 'wrong'), as('nobody-else')])
      for (const open of [openInfluxSink, openInfluxReader])
        expect(await failure(open(wrong))).toMatchObject({
          code: 'CRY_SERVER_REFUSED',
          message: expect.stringMatching(/refuses user, password or token/),
        })
  })

  it('lets a user with ALL on the one database store, find older versions, prune and read', async () => {
    const sink = await openInfluxSink(as('both'))
    const reader = await openInfluxReader(as('reader'))
    expect(await sink.write([quote({ revision: 1 })], sourceAt(0, 1))).toEqual({ written: 1, superseded: 0 })
    expect(await sink.write([quote()], sourceAt(1, 2))).toEqual({ written: 0, superseded: 1 })
    const flags = [flagAt(2e15), flagAt(3e15)]
    await sink.market.write(flags, marketSource(0, 2))
    expect(await sink.market.prune(['source-flag'], EpochMicros(3e15))).toBe(1)
    expect(await all(reader.rows(always))).toEqual([quote({ revision: 1 })])
    expect(await reader.flagsOf(always)).toEqual(flags.slice(1))
    await Promise.all([sink.close(), reader.close()])
  })

  it('does not let one with READ store, nor one with WRITE alone, which can not look for older versions', async () => {
    for (const user of ['reader', 'writer', 'nobody'])
      expect(await failure(openInfluxSink(as(user)))).toMatchObject({ code: 'CRY_SERVER_REFUSED' })
    // Rights that are taken away while it runs.
    const sink = await openInfluxSink(as('both'))
    await tell(`REVOKE WRITE ON "${options.database}" FROM both`, 'admin')
    expect(await failure(sink.write([quote({ currency: 'EUR' })], sourceAt(0, 1)))).toMatchObject({
      code: 'CRY_SERVER_REFUSED',
      message: expect.stringMatching(/grant it/),
    })
    await tell(`GRANT ALL ON "${options.database}" TO both`, 'admin')
    expect(await sink.write([quote({ currency: 'EUR' })], sourceAt(0, 1))).toMatchObject({ written: 1 })
    await sink.close()
  })

  it('lets nobody but an administrator make a database: that is said', async () => {
    const missing = { ...as('both'), database: `${options.database}_missing` }
    expect(await failure(openInfluxSink(missing))).toMatchObject({
      code: expect.stringMatching(/CRY_SERVER_(REFUSED|CONFIG)/),
    })
    const made = await openInfluxSink({ ...as('admin'), database: `${options.database}_made` })
    await made.close()
  })
})
