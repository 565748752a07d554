import { readdirSync, readFileSync, statSync } from 'node:fs'
import pkg from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Broker, TopicMessage } from '../../core/ports/broker.ts'
import { systemClock } from '../../host/clock.ts'
import { judgeGroup } from '../../processors/judge/run.ts'
import { openKafkaBroker } from '../../topics/brokers/kafka.ts'
import { topicTable, usedTopics } from '../../topics/table.ts'
import { until } from '../support/deployed.ts'
import { DeployedKafka } from '../support/deployed-kafka.ts'
import { freePortOffset } from './throw-away.ts'

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, Kafka, logLevel, ResourcePatternTypes } = pkg
const topics = topicTable()
/** To who may not even see a topic, it is one that there is not. Never: a server that is away. */
const refused = {
  code: expect.stringMatching(/^CRY_(SERVER_REFUSED|SERVER_CONFIG|RECORD_INVALID)$/) as string,
}

type User = 'admin' | 'collector' | 'consumer' | 'up' | 'ui'

describe('Kafka as docker-compose.yml starts it', () => {
  let kafka: DeployedKafka
  let brokerPid = 0
  const opened: Broker[] = []

  /** Our own broker adapter, as one of the users. */
  async function as(user: User, topicPrefix = ''): Promise<Broker> {
    const login = {
      username: user,
      password: kafka.password(`kafka_${user}`),
      mechanism: 'scram-sha-512' as const,
    }
    const common = { replication: 1, minInsyncReplicas: 1, clock: systemClock }
    const broker = await openKafkaBroker({ ...common, brokers: [kafka.server], topicPrefix, login })
    opened.push(broker)
    return broker
  }
  /** kafkajs itself, for what our adapter never asks. */
  async function admin<T>(
    user: User,
    work: (a: ReturnType<InstanceType<typeof Kafka>['admin']>) => Promise<T>,
  ): Promise<T> {
    const sasl = {
      mechanism: 'scram-sha-512' as const,
      username: user,
      password: kafka.password(`kafka_${user}`),
    }
    const client = new Kafka({
      brokers: [kafka.server],
      sasl,
      logLevel: logLevel.NOTHING,
      retry: { retries: 1 },
    }).admin()
    await client.connect()
    try {
      return await work(client)
    } finally {
      await client.disconnect()
    }
  }
  const message = (topic: string): TopicMessage => ({
    topic,
    key: 'k',
    value: new TextEncoder().encode('v'),
    headers: {},
    timestamp: systemClock.now(),
  })
  const produce = async (user: User, topic: string): Promise<void> =>
    (await as(user)).produce([message(topic)])
  /** The write is refused, and nothing of it is in the log. */
  async function expectNoWrite(user: User, topic: string): Promise<void> {
    const before = await read('admin', topic)
    await expect(produce(user, topic)).rejects.toMatchObject(refused)
    expect(await read('admin', topic)).toBe(before)
  }
  const read = async (user: User, topic: string): Promise<number> => {
    const found = await Array.fromAsync((await as(user)).read(topic, { offset: 0 }))
    return found.length
  }
  /** Reads as a member of the group until one batch came. */
  async function consume(user: User, topic: string, group: string): Promise<number> {
    const ended = new AbortController()
    let count = 0
    const broker = await as(user)
    await broker.consume({
      topics: [topic],
      group,
      limits: { maxRecords: 100, maxBytes: 100_000, maxAgeMs: 50 },
      signal: ended.signal,
      onBatch: async batch => {
        count += batch.messages.length
      },
      onCommitted: () => ended.abort(),
    })
    return count
  }
  /** A group that the user may not enter: nothing is read, and the broker says that it refused. */
  async function expectNoGroup(user: User, group: string): Promise<void> {
    const ended = new AbortController()
    let count = 0
    const broker = await as(user)
    const consuming = broker.consume({
      ...{ topics: [topics.quotes.name], group, signal: ended.signal },
      limits: { maxRecords: 100, maxBytes: 100_000, maxAgeMs: 50 },
      onBatch: async batch => {
        count += batch.messages.length
      },
    })
    // Whether our adapter goes on trying is its own affair.
    consuming.catch(() => undefined)
    const denied = new RegExp(
      `User:${user} is Denied operation = (DESCRIBE|READ) from host = 127.0.0.1 on resource = Group:LITERAL:${group} `,
    )
    await until(
      async () => denied.test(kafka.log('broker')),
      () => `no refusal of the group ${group} for ${user}`,
    )
    ended.abort()
    await consuming.catch(() => undefined)
    expect(count).toBe(0)
  }

  beforeAll(async () => {
    kafka = new DeployedKafka(await freePortOffset())
    await kafka.prepare()
    expect(await kafka.isHealthy()).toBe(false)
    brokerPid = await kafka.startBroker()
    expect(await kafka.applyRules()).toMatchObject({
      code: 0,
      said: expect.stringContaining('Kafka has its rules.'),
    })
    // On a busy machine the broker may not know yet what it has just made: then once more.
    for (const prefix of ['', 'sandbox.']) {
      const broker = await as('admin', prefix)
      const make = (): Promise<void> => broker.createTopics(usedTopics(topics))
      await make().catch(make)
    }
  }, 600_000)
  afterAll(async () => {
    await Promise.all(opened.map(broker => broker.close()))
    await kafka.close()
  })

  const collected = ['quotes', 'metrics', 'sourceEvents', 'quotaEvents'] as const
  const names = (ids: readonly (keyof typeof topics)[]): string[] => ids.map(id => topics[id].name)

  it.each(names([...collected, 'deadLetters']))('the collector writes %s', async topic => {
    await produce('collector', topic)
    expect(await read('admin', topic)).toBeGreaterThan(0)
  })
  it('the collector finds its topics in order, without the right to make them', async () => {
    await (await as('collector')).createTopics(
      usedTopics(topics).filter(t => names(collected).includes(t.name)),
    )
  })
  it('the collector can do nothing else', async () => {
    await expectNoWrite('collector', topics.consensus.name)
    await expect(read('collector', topics.quotes.name)).rejects.toMatchObject(refused)
    await expectNoGroup('collector', 'sink.cassandra')
    await expect(
      (await as('collector')).createTopics([{ ...topics.quotes, name: 'another' }]),
    ).rejects.toMatchObject(refused)
  })
  it('the consumer reads in groups of sinks, and writes dead letters', async () => {
    expect(await consume('consumer', topics.quotes.name, 'sink.cassandra')).toBeGreaterThan(0)
    expect(await consume('consumer', topics.sourceEvents.name, 'sink.influxdb.sourceEvents')).toBeGreaterThan(
      0,
    )
    expect(await (await as('consumer')).committed('sink.cassandra')).not.toEqual([])
    await produce('consumer', topics.deadLetters.name)
  })
  it('the consumer can do nothing else', async () => {
    await expect(read('consumer', topics.deadLetters.name)).rejects.toMatchObject(refused)
    await expectNoWrite('consumer', topics.quotes.name)
    await expectNoWrite('consumer', topics.consensus.name)
    await expectNoGroup('consumer', 'another')
    await expect(consume('consumer', topics.deadLetters.name, 'sink.cassandra')).rejects.toMatchObject(
      refused,
    )
    await expect(
      (await as('consumer')).createTopics([{ ...topics.quotes, name: 'another' }]),
    ).rejects.toMatchObject(refused)
  })
  it('up does both, and judges', async () => {
    for (const topic of names([...collected, 'consensus', 'deadLetters'])) await produce('up', topic)
    expect(await consume('up', topics.consensus.name, 'sink.sqlite.consensus')).toBeGreaterThan(0)
    expect(await consume('up', topics.quotes.name, judgeGroup)).toBeGreaterThan(0)
    // `cryptos dlq report` of Airflow's tasks.
    expect(await read('up', topics.deadLetters.name)).toBeGreaterThan(0)
    await expect(
      (await as('up')).createTopics([{ ...topics.quotes, name: 'another' }]),
    ).rejects.toMatchObject(refused)
  })
  it('simulated data have rules of their own names', async () => {
    const broker = await as('collector', 'sandbox.')
    await broker.produce([message(topics.quotes.name)])
    await expect(broker.produce([message(topics.consensus.name)])).rejects.toMatchObject(refused)
  })
  it('the Kafka UI reads and changes nothing', async () => {
    expect(await read('ui', topics.quotes.name)).toBeGreaterThan(0)
    await expectNoWrite('ui', topics.quotes.name)
    await expectNoGroup('ui', 'sink.cassandra')
  })

  it.each(['collector', 'consumer', 'up', 'ui'] as const)(
    '%s is no administrator of the cluster',
    async user => {
      const acl = {
        ...{ resourceType: AclResourceTypes.TOPIC, resourceName: '*', host: '*', principal: `User:${user}` },
        ...{ resourcePatternType: ResourcePatternTypes.LITERAL, operation: AclOperationTypes.ALL },
        permissionType: AclPermissionTypes.ALLOW,
      }
      const topic = topics.quotes.name
      await expect(admin(user, a => a.createAcls({ acl: [acl] }))).rejects.toThrow(
        /authori[sz]ed|authorization/i,
      )
      await expect(admin(user, a => a.deleteTopics({ topics: [topic] }))).rejects.toThrow(/authorized/)
      await expect(
        admin(user, a => a.createPartitions({ topicPartitions: [{ topic, count: 9 }] })),
      ).rejects.toThrow()
      await expect(
        admin(user, a => a.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '-1' }] })),
      ).rejects.toThrow()
      await expect(admin(user, a => a.deleteGroups(['sink.cassandra']))).rejects.toThrow()
      expect((await (await as('admin')).partitions(topic)).length).toBe(topics.quotes.partitions)
      expect(await read('admin', topic)).toBeGreaterThan(0)
    },
  )

  it('nobody gets in without a login, with a wrong one, or with PLAIN', async () => {
    const connect = async (sasl?: object): Promise<void> => {
      const base = { brokers: [kafka.server], logLevel: logLevel.NOTHING, retry: { retries: 0 } }
      const client = new Kafka({ ...base, ...(sasl ? { sasl: sasl as never } : {}) }).admin()
      try {
        await client.connect()
        await client.listTopics()
      } finally {
        await client.disconnect()
      }
    }
    const username = 'admin'
    await expect(connect()).rejects.toThrow()
    await expect(connect({ mechanism: 'scram-sha-512', username, password: 'admin' })).rejects.toThrow(
      /auth/i,
    )
    const password = kafka.password('kafka_admin')
    await expect(connect({ mechanism: 'plain', username, password })).rejects.toThrow(/mechanism|PLAIN/)
    await connect({ mechanism: 'scram-sha-512', username, password })
  })
  it('is told to who comes by the published port as that port, and serves there', async () => {
    const sasl = { mechanism: 'scram-sha-512' as const, username: 'ui', password: kafka.password('kafka_ui') }
    const client = new Kafka({ brokers: [kafka.published], sasl, logLevel: logLevel.NOTHING }).admin()
    try {
      await client.connect()
      const { brokers } = await client.describeCluster()
      expect(brokers.map(({ host, port }) => `${host}:${port}`)).toEqual([kafka.published])
      expect((await client.fetchTopicMetadata({ topics: [topics.quotes.name] })).topics).toHaveLength(1)
    } finally {
      await client.disconnect()
    }
  })
  it('no topic is made by being named', async () => {
    await expect(produce('up', 'by-accident')).rejects.toThrow()
    await expect(produce('admin', 'by-accident')).rejects.toThrow()
    expect(await admin('admin', a => a.listTopics())).not.toContain('by-accident')
  })
  it('no password stands on a command line, in a log, or in a file for others', () => {
    const secrets = readdirSync(kafka.secrets).map(name => readFileSync(`${kafka.secrets}/${name}`, 'utf8'))
    const line = readFileSync(`/proc/${brokerPid}/cmdline`, 'utf8')
    expect(line).toContain('server.properties')
    const texts = [line, kafka.log('broker')]
    expect(secrets.filter(secret => texts.some(text => text.includes(secret)))).toEqual([])
    expect(readdirSync(kafka.file('work'))).toEqual(['server.properties'])
    expect(statSync(kafka.file('work/server.properties')).mode & 0o777).toBe(0o600)
  })
  it('starts again on its data, with its users and rules', async () => {
    const before = await read('admin', topics.quotes.name)
    await Promise.all(opened.splice(0).map(broker => broker.close()))
    await kafka.stopServers()
    expect(await kafka.isHealthy()).toBe(false)
    await kafka.startBroker()
    expect(await read('admin', topics.quotes.name)).toBe(before)
    await produce('collector', topics.quotes.name)
    await expectNoWrite('consumer', topics.quotes.name)
  }, 600_000)
})
