import { stackServers } from '../../../test/stack/servers.ts'
import { sinkContract } from '../../sink.contract.ts'
import { openCassandraReader } from './reader.ts'
import { openCassandraSink } from './sink.ts'
import { storeOptions } from './stack.contract.ts'

const { cassandra } = stackServers

sinkContract(
  'cassandra',
  async () => {
    const options = storeOptions(cassandra)
    const sink = await openCassandraSink(options)
    const reader = await openCassandraReader(options)
    const close = async (): Promise<void> => {
      await reader.close()
      await sink.close()
    }
    return { sink, reader, settle: () => Promise.resolve(), close }
  },
  { countsExactly: false, feedsChanges: false },
)
