import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { fromEpochMs } from '../../../core/time.ts'
import { stackServers } from '../../../test/stack/servers.ts'
import { newPrefix, oneTopic, openReal, realUntil } from './real.contract.ts'
import { Reading, Traffic } from './traffic.contract.ts'

const { brokers } = stackServers().kafka
const topic = 'p'
const program = fileURLToPath(new URL('./reader-program.contract.ts', import.meta.url))

it('a consumer that is paused for longer than its session neither skips nor moves the group back', async () => {
  const topicPrefix = newPrefix()
  const broker = await openReal(brokers, { topicPrefix })
  await broker.createTopics([oneTopic(topic, 4)])
  const all = new Reading()
  let fromChild = 0
  const child = spawn(process.execPath, ['--no-warnings', program, brokers.join(','), topicPrefix, topic], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })
  lines.on('line', line => {
    const [partition = '', offset = '', id = ''] = line.split(' ')
    fromChild += 1
    const value = new TextEncoder().encode(id)
    const place = { topic, partition: Number(partition), offset: Number(offset) }
    all.take([{ ...place, key: '', value, headers: {}, timestamp: fromEpochMs(0) }])
  })
  const traffic = new Traffic(broker, topic)
  await realUntil(() => fromChild > 200, 'the process reads')
  const here = new Reading()
  const consumer = here.subscribe(broker, topic, {
    onBatch: async batch => {
      here.take(batch.messages)
      all.take(batch.messages)
    },
  })
  await realUntil(() => here.delivered > 100, 'this process reads too')

  child.kill('SIGSTOP')
  const before = { child: fromChild, here: here.delivered }
  // The other one gets all partitions when the session of the paused one is over.
  await realUntil(() => here.partitions === 4, 'this process reads all partitions', 40_000)
  await sleep(3_000)
  expect(fromChild - before.child).toBeLessThan(400)
  const committed = await broker.committed('readers')
  child.kill('SIGCONT')
  const paused = fromChild
  await realUntil(() => fromChild > paused + 200, 'the process that was paused reads again', 30_000)
  for (const { partition, offset } of await broker.committed('readers'))
    expect(offset).toBeGreaterThanOrEqual(committed.find(c => c.partition === partition)?.offset ?? 0)

  await traffic.stop()
  const tookMs = await all.hasAll(broker, topic, traffic)
  console.info(
    `paused beyond its session: ${traffic.acknowledged.size} acknowledged, ${all.distinct} in the log, ` +
      `${all.delivered - all.distinct} delivered again, all read ${Math.round(tookMs)} ms after the end`,
  )
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
  await consumer.stop()
  await broker.close()
})
