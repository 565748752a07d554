import { stackServers } from '../../test/stack/servers.ts'
import { brokerContract } from '../broker.contract.ts'
import { newPrefix, openReal, realRig } from './kafka/real.contract.ts'

const { brokers } = stackServers.kafka
let prefix = ''

brokerContract(
  'kafka',
  async (_clock, topics) => {
    prefix = newPrefix()
    const broker = await openReal(brokers, { topicPrefix: prefix })
    await broker.createTopics(topics)
    return broker
  },
  () => realRig(brokers, () => prefix),
)
