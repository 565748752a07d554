import { systemClock } from '../../../host/clock.ts'
import { openKafkaBroker } from '../../../topics/brokers/kafka.ts'
import { runMover } from './mover.ts'
import { publish } from './publish.ts'

/** The product's producing: `produce` of its broker. */
await runMover(async ({ brokers, topicPrefix, sliceRows }) => {
  const options = { brokers, topicPrefix, replication: 1, minInsyncReplicas: 1, clock: systemClock }
  const broker = await openKafkaBroker(options)
  return await publish(
    sliceRows,
    messages => broker.produce(messages),
    () => broker.close(),
  )
})
