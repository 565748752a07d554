import { afterAll } from 'vitest'
import { stackServers } from '../../../test/stack/servers.ts'
import { marketSinkContract } from '../../market.contract.ts'
import { sinkContract } from '../../sink.contract.ts'
import { openCassandraReader } from './reader.ts'
import { openCassandraSink } from './sink.ts'
import { dropStores, storeOptions, truncateAll } from './stack.contract.ts'

const { cassandra } = stackServers
afterAll(() => dropStores(cassandra))

async function openStore(options = storeOptions(cassandra)) {
  const sink = await openCassandraSink(options)
  const reader = await openCassandraReader(options)
  const close = async (): Promise<void> => {
    await reader.close()
    await sink.close()
  }
  return { sink, reader, settle: () => Promise.resolve(), close }
}

sinkContract('cassandra', () => openStore(), {
  countsExactly: false,
  feedsChanges: false,
  tellsChanges: false,
})

const shared = [storeOptions(cassandra), storeOptions(cassandra)] as const
let opened = 0

marketSinkContract(
  'cassandra',
  async () => {
    opened += 1
    // The first store serves all the tests; each run of the property has an empty one, without new tables for each.
    const options = shared[opened === 1 ? 0 : 1]
    const { sink, reader, close } = await openStore(options)
    if (opened > 2) await truncateAll(options)
    return { sink: sink.market, reader, close }
  },
  { countsExactly: false },
)
