import { afterAll, describe, expect, it } from 'vitest'
import { stackServers } from '../../../test/stack/servers.ts'
import { quote, sourceAt } from '../../sink.contract.ts'
import { openCassandraReader } from './reader.ts'
import { agingTables, newestStep } from './schema-files.ts'
import { openSession } from './session.ts'
import { openCassandraSink } from './sink.ts'
import { dropStores, storeOptions } from './stack.contract.ts'

const { cassandra } = stackServers
const first = storeOptions(cassandra)
const session = await openSession(first)
afterAll(async () => {
  await session.close()
  await dropStores(cassandra)
})

const tablesOf = (keyspace: string) =>
  session.run({
    query:
      'SELECT table_name, default_time_to_live, compaction FROM system_schema.tables WHERE keyspace_name=?',
    params: [keyspace],
  })

describe('schema in Cassandra', () => {
  it('is made once, whatever number of processes start at once', async () => {
    const options = storeOptions(cassandra)
    const sinks = await Promise.all(Array.from({ length: 8 }, () => openCassandraSink(options)))
    const steps = await session.run({
      query: `SELECT step, WRITETIME(name) AS at FROM ${options.keyspace}.schema_steps WHERE store=?`,
      params: ['cryptos'],
    })
    expect(steps.map(row => Number(row['step']))).toEqual(
      Array.from({ length: newestStep() }, (_, i) => i + 1),
    )
    const claims = await session.run({ query: `SELECT * FROM ${options.keyspace}.schema_claims`, params: [] })
    expect(claims).toEqual([])
    await Promise.all(sinks.map((sink, i) => sink.write([quote()], sourceAt(i, i + 1))))
    const reader = await openCassandraReader(options)
    expect(await reader.latest()).toHaveLength(1)
    await Promise.all([reader.close(), ...sinks.map(sink => sink.close())])
  })

  it('of a process that died with the claim is finished by the next, when the claim is gone', async () => {
    const options = storeOptions(cassandra)
    const { keyspace } = options
    await session.runOnce(
      `CREATE KEYSPACE ${keyspace} WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`,
    )
    await session.runOnce(
      `CREATE TABLE ${keyspace}.schema_claims (store text, owner text, PRIMARY KEY ((store)))`,
    )
    await session.runOnce(
      `INSERT INTO ${keyspace}.schema_claims (store, owner) VALUES ('cryptos', 'dead') USING TTL 3`,
    )
    const began = performance.now()
    const sink = await openCassandraSink(options)
    expect(performance.now() - began).toBeGreaterThan(1_000)
    await sink.close()
  })

  it('has the age of rows from the settings, and takes another one at the next start', async () => {
    const options = storeOptions(cassandra, { ttlDays: 90 })
    await (await openCassandraSink(options)).close()
    const ages = async () =>
      (await tablesOf(options.keyspace))
        .filter(row => agingTables().includes(String(row['table_name'])))
        .map(row => [
          Number(row['default_time_to_live']),
          (row['compaction'] as Record<string, string>)['compaction_window_size'],
        ])
    expect(await ages()).toEqual(agingTables().map(() => [90 * 86_400, '78']))
    await (await openCassandraSink({ ...options, ttlDays: 7 })).close()
    expect(await ages()).toEqual(agingTables().map(() => [7 * 86_400, '6']))
    const others = (await tablesOf(options.keyspace)).filter(row => String(row['table_name']) === 'latest')
    expect(others.map(row => Number(row['default_time_to_live']))).toEqual([0])
  })

  it('that is newer than the program is refused, to write and to read', async () => {
    const options = storeOptions(cassandra)
    await (await openCassandraSink(options)).close()
    await session.run({
      query: `INSERT INTO ${options.keyspace}.schema_steps (store, step) VALUES (?,?)`,
      params: ['cryptos', 99],
    })
    for (const open of [openCassandraSink, openCassandraReader])
      await expect(open(options)).rejects.toMatchObject({ code: 'CRY_STORE_NEWER' })
  })

  it('is not made by a reader, which says what to do', async () => {
    await expect(openCassandraReader(first)).rejects.toMatchObject({
      code: 'CRY_SERVER_CONFIG',
      message: expect.stringContaining('cryptos process'),
    })
    expect(await tablesOf(first.keyspace)).toEqual([])
  })
})

describe('what is wrong with the settings is told in one sentence', () => {
  it.each([
    ['a data centre that is not there', { datacenter: 'elsewhere' }, 'CRY_SERVER_CONFIG', 'elsewhere'],
    ['a port where nothing listens', { hosts: ['127.0.0.1:1'] }, 'CRY_SERVER_UNREACHABLE', '127.0.0.1:1'],
    [
      'a host that has no address',
      { hosts: ['no.such.host.invalid:9042'] },
      'CRY_SERVER_UNREACHABLE',
      'no.such.host',
    ],
    ['TLS to a server without it', { tls: {} }, 'CRY_SERVER_', '127.0.0.1'],
  ])('%s', async (_, more, code, words) => {
    const options = storeOptions(cassandra, more)
    for (const open of [openCassandraSink, openCassandraReader])
      await expect(open(options)).rejects.toMatchObject({
        code: expect.stringContaining(code),
        message: expect.stringContaining(words),
      })
  })

  it('a keyspace that went away while it was written to', async () => {
    const options = storeOptions(cassandra)
    const sink = await openCassandraSink(options)
    await sink.write([quote()], sourceAt(0, 1))
    await session.runOnce(`DROP KEYSPACE ${options.keyspace}`)
    await expect(sink.write([quote()], sourceAt(1, 2))).rejects.toMatchObject({ code: 'CRY_SERVER_CONFIG' })
    await sink.close()
  })
})
