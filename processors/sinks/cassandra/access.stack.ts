import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { throwAwayStack } from '../../../test/stack/servers.ts'
import type { ThrowAwayStack } from '../../../test/stack/servers.ts'
import { flagAt, marketSource } from '../../market.contract.ts'
import { quote, sourceAt } from '../../sink.contract.ts'
import type { CassandraOptions } from './options.ts'
import { openCassandraReader } from './reader.ts'
import { openSession } from './session.ts'
import { openCassandraSink } from './sink.ts'
import { statementsOfDocs, storeOptions } from './stack.contract.ts'

const first = { username: 'cassandra', password: 'cassandra' }
const admin = { username: 'admin', password: 'canary-admin-3f9a' }
const writer = { username: 'cryptos_writer', password: 'canary-writer-77b1' }
const maker = { username: 'cryptos_maker', password: 'canary-maker-12de' }
const viewer = { username: 'grafana', password: 'canary-viewer-c0de' }
const canaries = [admin, writer, maker, viewer].map(login => login.password)

let stack: ThrowAwayStack
let options: CassandraOptions
beforeAll(async () => {
  const settings = {
    cassandra: {
      authenticator: 'PasswordAuthenticator',
      authorizer: 'CassandraAuthorizer',
      role_manager: 'CassandraRoleManager',
      permissions_validity: '100ms',
      roles_validity: '100ms',
      credentials_validity: '100ms',
    },
  }
  stack = await throwAwayStack({ servers: ['cassandra'], settings })
  options = storeOptions(stack.addresses.cassandra)
  // The server answers before it has made its first user.
  const asFirst = () => openSession({ ...options, login: first }).then(session => session.close())
  const isThere = () =>
    asFirst().then(
      () => true,
      () => false,
    )
  for (let tries = 0; tries < 100 && !(await isThere()); tries += 1) await sleep(500)
  await asDocumented('first', first)
  await asDocumented('roles', admin)
})
afterAll(() => stack.stop())

/** Runs a block of statements of the how-to, with the names and passwords of this test. */
async function asDocumented(block: string, login: CassandraOptions['login'] & object): Promise<void> {
  const names = {
    KEYSPACE_NAME: options.keyspace,
    ADMIN_PASSWORD: admin.password,
    WRITER_PASSWORD: writer.password,
    MAKER_PASSWORD: maker.password,
    VIEWER_PASSWORD: viewer.password,
  }
  const session = await openSession({ ...options, login })
  for (const statement of statementsOfDocs(block, names)) await session.runOnce(statement)
  await session.close()
}

const refusal = async (
  login: CassandraOptions['login'] | undefined,
): Promise<{ code: string; text: string }> => {
  const error: unknown = await openCassandraSink({ ...options, ...(login ? { login } : {}) }).then(
    sink => sink.close(),
    (thrown: unknown) => thrown,
  )
  const { code, message, stack: trace, cause } = (error ?? {}) as Error & { code: string }
  return { code, text: `${message} ${trace} ${JSON.stringify(cause)} ${(cause as Error | undefined)?.stack}` }
}

describe('a Cassandra with users', () => {
  it('refuses no login, a wrong password and, after the steps of the how-to, the default one', async () => {
    for (const login of [undefined, { ...writer, password: 'canary-wrong-5a5a' }, first]) {
      const { code, text } = await refusal(login)
      expect(code).toBe('CRY_SERVER_REFUSED')
      expect(text).toContain(options.hosts[0])
      for (const canary of [...canaries, 'canary-wrong-5a5a']) expect(text).not.toContain(canary)
    }
  })

  it('says what is missing to a user who may not make it, and lets one who may', async () => {
    expect(await refusal(writer)).toMatchObject({
      code: 'CRY_SERVER_CONFIG',
      text: expect.stringContaining('as a user who may create'),
    })
    await (await openCassandraSink({ ...options, login: maker })).close()
  })

  it('is written to with MODIFY and SELECT on one keyspace, and no more', async () => {
    const sink = await openCassandraSink({ ...options, login: writer })
    const reader = await openCassandraReader({ ...options, login: writer })
    await sink.write([quote()], sourceAt(0, 1))
    await sink.market.write([flagAt(1e15)], marketSource(0, 1))
    expect(await reader.latest()).toHaveLength(1)
    expect(await reader.latestRecords('source-flag')).toHaveLength(1)
    await Promise.all([sink.close(), reader.close()])
    const session = await openSession({ ...options, login: writer })
    for (const statement of [
      `DROP TABLE ${options.keyspace}.quotes`,
      `DROP KEYSPACE ${options.keyspace}`,
      "CREATE ROLE mine WITH PASSWORD = 'x' AND LOGIN = true",
      'SELECT * FROM system_auth.roles',
    ])
      await expect(session.runOnce(statement)).rejects.toMatchObject({ code: 'CRY_SERVER_REFUSED' })
    await session.close()
  })

  it('is read with SELECT on one keyspace, which is not enough to write', async () => {
    const reader = await openCassandraReader({ ...options, login: viewer })
    expect(await reader.latest()).toHaveLength(1)
    await reader.close()
    const session = await openSession({ ...options, login: viewer })
    const query = `INSERT INTO ${options.keyspace}.names (kind, name) VALUES (?,?)`
    await expect(session.run({ query, params: ['quotes', 'x'] })).rejects.toMatchObject({
      code: 'CRY_SERVER_REFUSED',
    })
    await session.close()
  })

  it('that hides from a user how it writes its commit log is refused as if that were periodic', async () => {
    const session = await openSession({ ...options, login: admin })
    await session.runOnce('REVOKE SELECT ON system_views.settings FROM cryptos_writer')
    await session.close()
    await expect
      .poll(async () => (await refusal(writer)).text, { timeout: 10_000 })
      .toContain('system_views.settings')
  })
})
