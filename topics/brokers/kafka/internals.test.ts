import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { fetchedAt, fetchedBatch, kafkaJsVersion, newCluster, readInVersion } from './internals.ts'

const load = createRequire(import.meta.url)
const record = (offset: number) => ({
  key: null,
  value: null,
  timestamp: '0',
  offset: String(offset),
  attributes: 0,
  headers: {},
})

/** Who raises the version of kafkajs reads these parts again, and docs of the losses with it. */
describe('the parts of kafkajs that it does not export', () => {
  it('are those of the version that was read', () => {
    expect(kafkaJsVersion()).toBe(readInVersion)
  })

  it('are a cluster that is made with our options and does what we call', () => {
    const cluster = newCluster({ brokers: ['127.0.0.1:1'], logLevel: 0, logCreator: () => () => undefined })
    const used = [
      'connect',
      'disconnect',
      'addTargetTopic',
      'refreshMetadata',
      'refreshMetadataIfNecessary',
      'findBroker',
      'findLeaderForPartitions',
      'fetchTopicsOffset',
    ] as const
    for (const name of used) expect(typeof cluster[name], name).toBe('function')
    const { prototype } = load('kafkajs/src/broker') as { prototype: { fetch: unknown } }
    expect(typeof prototype.fetch).toBe('function')
  })

  it('are a batch without what lies before the offset that was asked for, which it remembers', () => {
    const data = { partition: 0, highWatermark: '9', messages: [record(4), record(5), record(7)] }
    const batch = fetchedBatch('t', '5', data)
    expect(batch.messages.map(m => m.offset)).toEqual(['5', '7'])
    expect(batch.firstOffset()).toBe('5')
    expect(batch.lastOffset()).toBe('7')
    expect(fetchedAt(batch)).toBe(5)
    expect(fetchedAt(fetchedBatch('t', '6', data))).toBe(6)
  })
})
