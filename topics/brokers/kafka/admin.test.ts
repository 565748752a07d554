import type { Admin } from 'kafkajs'
import { expect, it } from 'vitest'
import { VirtualClock } from '../../../core/virtual-clock.ts'
import { start, turns } from '../../harness.contract.ts'
import { KafkaAdmin } from './admin.ts'
import type { KafkaClients } from './client.ts'
import { kafkaError } from './errors.ts'
import { KafkaTopics } from './topics.ts'

const unknown = Object.assign(new Error('unknown'), {
  name: 'KafkaJSProtocolError',
  type: 'UNKNOWN_TOPIC_OR_PARTITION',
})
const lost = Object.assign(new Error('lost'), { name: 'KafkaJSConnectionError' })

/** What becomes of work that fails so for so many seconds, and how often it is tried. */
async function outcome(error: Error, failsForMs: number) {
  const clock = new VirtualClock(start)
  const made = { connect: async () => undefined, disconnect: async () => undefined }
  const clients = { servers: ['fake:1'], admin: () => made as unknown as Admin } as unknown as KafkaClients
  let tries = 0
  let result: unknown
  const admin = new KafkaAdmin(clients, clock)
  const done = admin.run('test', async () => {
    tries += 1
    if (clock.monotonicMs() < failsForMs) throw error
    return 'found'
  })
  done.then(
    value => {
      result = value
    },
    why => {
      result = why
    },
  )
  for (let i = 0; i < 300 && result === undefined; i += 1) {
    await turns(3)
    clock.advance(100)
  }
  await admin.close()
  return { result, tries }
}

it('a topic that some servers do not know yet is waited for some seconds, but not for ever', async () => {
  expect(await outcome(unknown, 8_000)).toMatchObject({ result: 'found' })
  expect(await outcome(unknown, 60_000)).toMatchObject({ result: { code: 'CRY_SERVER_CONFIG' } })
})

it('servers that do not answer are tried four times', async () => {
  expect(await outcome(lost, 1_000)).toMatchObject({ result: 'found' })
  expect(await outcome(lost, 60_000)).toMatchObject({ result: { code: 'CRY_SERVER_UNREACHABLE' }, tries: 4 })
})

it('an answer that never comes is waited for 15 seconds, four times', async () => {
  const clock = new VirtualClock(start)
  const cluster = openCluster()
  const admin = new KafkaAdmin(cluster.clients, clock)
  let tries = 0
  let result: unknown
  const never = (): Promise<never> => {
    tries += 1
    return new Promise(() => undefined)
  }
  admin.run('look', never).catch(error => {
    result = error
  })
  const beganMs = clock.monotonicMs()
  while (result === undefined && clock.monotonicMs() - beganMs < 120_000) {
    await turns(3)
    clock.advance(100)
  }
  expect(tries).toBe(4)
  expect(result).toMatchObject({ code: 'CRY_SERVER_UNREACHABLE', message: expect.stringContaining('15 s') })
  expect(clock.monotonicMs() - beganMs).toBeGreaterThan(60_000)
  await admin.close()
})

it('topics that were made and are still not known everywhere are no fault of a setting', async () => {
  const clock = new VirtualClock(start)
  const clients = { servers: ['fake:1'], nameOf: (name: string) => name } as unknown as KafkaClients
  const run = async (what: string): Promise<never> => {
    throw kafkaError(unknown, what, ['fake:1'])
  }
  const admin = { run } as unknown as KafkaAdmin
  const options = { brokers: ['fake:1'], replication: 1, minInsyncReplicas: 1, clock }
  const spec = { name: 't', partitions: 1, retentionMs: 1_000, maxMessageBytes: 1_000 }
  const made = new KafkaTopics(admin, clients, options).apply([spec])
  await expect(made).rejects.toMatchObject({ code: 'CRY_SERVER_UNREACHABLE' })
})

/** An admin of kafkajs whose calls go on when it is disconnected, and connect it anew, as the real one's do. */
function openCluster() {
  let connections = 0
  const calls: (() => void)[] = []
  const made = {
    connect: async () => {
      connections = 1
    },
    disconnect: async () => {
      connections = 0
    },
    ask: () =>
      new Promise<string>(resolve => {
        calls.push(() => {
          connections = 1
          resolve('late')
        })
      }),
  }
  const clients = { servers: ['fake:1'], admin: () => made as unknown as Admin } as unknown as KafkaClients
  return { clients, connections: () => connections, answer: () => calls.map(call => call()) }
}

it('a call that is under way when it is closed leaves no connection behind, which would keep the process alive', async () => {
  const cluster = openCluster()
  const admin = new KafkaAdmin(cluster.clients, new VirtualClock(start))
  const asked = admin.run('test', a => (a as unknown as { ask(): Promise<string> }).ask())
  await turns(5)
  expect(cluster.connections()).toBe(1)
  const told = expect(asked).rejects.toMatchObject({ message: expect.stringContaining('closed meanwhile') })
  const closed = admin.close()
  await turns(5)
  cluster.answer()
  expect(cluster.connections()).toBe(1)
  await told
  await closed
  expect(cluster.connections()).toBe(0)
})

it('who asks after the end is told so, and connects nothing', async () => {
  const cluster = openCluster()
  const admin = new KafkaAdmin(cluster.clients, new VirtualClock(start))
  await admin.close()
  await expect(admin.run('test', async () => 'found')).rejects.toMatchObject({
    code: 'CRY_SERVER_UNREACHABLE',
  })
  expect(cluster.connections()).toBe(0)
})
