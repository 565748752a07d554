import { openReal } from './real.contract.ts'

/** A process that reads as a member of the group `readers` until it is killed: a line `partition offset id` per record it was given. */
const [brokers = '', topicPrefix = '', topic = ''] = process.argv.slice(2)
const broker = await openReal(brokers.split(','), { topicPrefix })
await broker.consume({
  group: 'readers',
  topics: [topic],
  limits: { maxRecords: 50, maxBytes: 100_000, maxAgeMs: 50 },
  signal: new AbortController().signal,
  onBatch: async ({ messages }) => {
    const lines = messages.map(
      m => `${m.partition} ${m.offset} ${new TextDecoder().decode(m.value ?? undefined)}\n`,
    )
    process.stdout.write(lines.join(''))
  },
})
