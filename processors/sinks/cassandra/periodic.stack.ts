import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { throwAwayStack } from '../../../test/stack/servers.ts'
import type { ThrowAwayStack } from '../../../test/stack/servers.ts'
import { quote, sourceAt } from '../../sink.contract.ts'
import { openCassandraReader } from './reader.ts'
import { openCassandraSink } from './sink.ts'
import { storeOptions } from './stack.contract.ts'

let stack: ThrowAwayStack
beforeAll(async () => {
  const settings = { cassandra: { commitlog_sync: 'periodic', commitlog_sync_period: '1000ms' } }
  stack = await throwAwayStack({ servers: ['cassandra'], settings })
})
afterAll(() => stack.stop())

describe('a single node that writes its commit log only now and then', () => {
  it('is refused with the two ways out', async () => {
    const options = storeOptions(stack.addresses.cassandra)
    await expect(openCassandraSink(options)).rejects.toMatchObject({
      code: 'CRY_SERVER_CONFIG',
      message: expect.stringMatching(/commitlog_sync: batch.*CRYPTOS_CASSANDRA_ACCEPT_LOSS_WINDOW/),
    })
  })

  it('is taken by who accepts that', async () => {
    const options = storeOptions(stack.addresses.cassandra, { acceptLossWindow: true })
    const sink = await openCassandraSink(options)
    await sink.write([quote()], sourceAt(0, 1))
    const reader = await openCassandraReader(options)
    expect(await reader.latest()).toHaveLength(1)
    await Promise.all([sink.close(), reader.close()])
  })
})
