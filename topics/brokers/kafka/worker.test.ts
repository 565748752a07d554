import { describe, expect, it } from 'vitest'
import type { KafkaMessage } from 'kafkajs'
import { VirtualClock } from '../../../core/virtual-clock.ts'
import { start, turns } from '../../harness.contract.ts'
import { Turns } from './turns.ts'
import { PartitionWorker } from './worker.ts'

const maxAgeMs = 100

/** A worker that takes ten records at once, and the sizes of what it gave out. */
function working() {
  const clock = new VirtualClock(start)
  const over = new AbortController()
  const sizes: number[] = []
  const worker = new PartitionWorker({
    ...{ topic: 't', partition: 0, next: 0, committed: 0, isIll: false, stored: undefined, clock },
    consume: {
      ...{
        group: 'g',
        topics: ['t'],
        limits: { maxRecords: 10, maxBytes: 1e6, maxAgeMs },
        signal: over.signal,
      },
      onBatch: async batch => void sizes.push(batch.messages.length),
    },
    ports: { commit: async () => undefined, flow: () => undefined, turns: new Turns(1) },
  })
  const ended = worker.run()
  const pass = async (durationMs: number): Promise<void> => {
    await turns(20)
    clock.advance(durationMs)
    await turns(20)
  }
  const stop = async (): Promise<void> => {
    over.abort()
    await ended
  }
  return { worker, sizes, pass, stop }
}

const records = (from: number, to: number): readonly KafkaMessage[] =>
  Array.from({ length: to - from }, (_, i) => ({
    ...{ key: null, value: Buffer.from('v'), timestamp: '0', attributes: 0, headers: {} },
    offset: String(from + i),
  }))

describe('a batch that is not full', () => {
  it('goes by its age where the log has no more', async () => {
    const { worker, sizes, pass, stop } = working()
    worker.push(records(0, 4), 4, 4)
    await pass(maxAgeMs - 1)
    expect(sizes).toEqual([])
    await pass(1)
    expect(sizes).toEqual([4])
    await stop()
  })

  it('waits for what it lacks where the log has it, but not for ever', async () => {
    const { worker, sizes, pass, stop } = working()
    worker.push(records(0, 4), 4, 100)
    await pass(5 * maxAgeMs)
    expect(sizes).toEqual([])
    worker.push(records(4, 13), 13, 100)
    await pass(0)
    expect(sizes).toEqual([10])
    await pass(10 * maxAgeMs)
    expect(sizes).toEqual([10, 3])
    await stop()
  })
})
