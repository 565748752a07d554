import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { message } from '../../harness.contract.ts'
import { newPrefix, oneTopic, openReal, realUntil } from './real.contract.ts'
import type { LoginMechanism } from './options.ts'
import { securedKafka } from './secured.contract.ts'
import { Reading } from './traffic.contract.ts'

const passwords = { admin: 'canary-admin-5f1', guest: 'canary-guest-8c2' }
const topic = 's'

describe('Kafka behind TLS and a login', () => {
  let server: Awaited<ReturnType<typeof securedKafka>>
  const prefix = newPrefix()
  beforeAll(async () => {
    server = await securedKafka(passwords)
    // Ten programs start for it; on a busy machine that takes its time.
  }, 900_000)
  afterAll(() => server?.stop())

  const lines: string[] = []
  const open = (
    mechanism: LoginMechanism,
    more: {
      readonly username?: string
      readonly password?: string
      readonly brokers?: string[]
      readonly ca?: string
    } = {},
  ) => {
    const { username = 'admin', password = passwords.admin, brokers = [server.named], ca = server.ca } = more
    return openReal(brokers, {
      topicPrefix: prefix,
      tls: ca === '' ? {} : { ca },
      login: { username, password, mechanism },
      log: line => lines.push(JSON.stringify(line)),
    })
  }
  /** The refusal, which must be one clear sentence without the password. */
  async function refusal(opening: Promise<{ close(): Promise<void> }>): Promise<string> {
    const error = await opening.then(
      async broker => {
        await broker.close()
        throw new Error('it was let in')
      },
      (thrown: unknown) => thrown,
    )
    expect(error).toMatchObject({ code: 'CRY_SERVER_REFUSED' })
    const text = (error as Error).message
    expect(text).toMatch(/^Kafka at [^\n]+$/)
    for (const secret of Object.values(passwords)) expect(text + (error as Error).stack).not.toContain(secret)
    return text
  }

  it.each<LoginMechanism>(['scram-sha-256', 'scram-sha-512', 'plain'])(
    'lets %s in, to write and to read',
    async how => {
      const broker = await open(how)
      await broker.createTopics([oneTopic(topic, 1)])
      await broker.produce([message('k', how, { topic })])
      const reading = new Reading()
      const consumer = reading.subscribe(broker, topic, { group: how })
      await realUntil(() => reading.ids.has(how), 'it is read')
      await consumer.stop()
      await broker.close()
    },
  )

  it.each<LoginMechanism>(['scram-sha-512', 'plain'])('refuses a wrong password by %s', async how => {
    expect(await refusal(open(how, { password: 'wrong' }))).toContain('password')
  })

  it('refuses a certificate that names another host, and one of an unknown CA', async () => {
    expect(await refusal(open('scram-sha-512', { brokers: [server.byAddress] }))).toContain('ALTNAME')
    expect(await refusal(open('scram-sha-512', { ca: '' }))).toContain('certificate')
  })

  it('tells a missing right as such: nothing is taken for a bad record or a missing topic', async () => {
    const guest = await open('plain', { username: 'guest', password: passwords.guest })
    const refused = { code: 'CRY_SERVER_REFUSED' }
    await expect(guest.produce([message('k', 'x', { topic })])).rejects.toMatchObject(refused)
    await expect(guest.createTopics([oneTopic('new', 1)])).rejects.toMatchObject(refused)
    await expect(guest.partitions(topic)).rejects.toMatchObject(refused)
    // kafkajs does not tell why no server answers for a group.
    await expect(guest.committed('g')).rejects.toThrow('the user may not use the group')
    const consumer = new Reading().subscribe(guest, topic)
    await expect(consumer.done).rejects.toMatchObject(refused)
    await guest.close()
  })

  it('never writes a password to the log', () => {
    expect(lines.length).toBeGreaterThan(0)
    for (const secret of Object.values(passwords)) expect(lines.join('\n')).not.toContain(secret)
  })
})
