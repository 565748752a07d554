import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../../../core/virtual-clock.ts'
import { start, turns, until } from '../../harness.contract.ts'
import { PartitionProducer } from './producer.ts'
import type { Sender } from './producer.ts'

/** A producer whose servers answer as a test says; `tried` = the first value of each call that kafkajs got. */
function producerOver(answer: (value: string) => 'stored' | 'lost' | 'silent') {
  const clock = new VirtualClock(start)
  const tried: string[] = []
  const sender: Sender = {
    connect: async () => undefined,
    disconnect: async () => undefined,
    send: async ({ messages }) => {
      const value = String(messages[0]?.value)
      const partition = messages[0]?.partition ?? -1
      tried.push(value)
      const said = answer(value)
      if (said === 'lost') throw new Error('connection lost')
      if (said === 'silent') await new Promise(() => undefined)
      return [{ topicName: 't', partition, errorCode: 0 }]
    },
  }
  const producer = new PartitionProducer({ makeSender: () => sender, clock, servers: ['fake:1'] })
  /** Moves the clock until the work has an end; how long that took. */
  const settled = async (work: Promise<unknown>): Promise<number> => {
    const beganMs = clock.monotonicMs()
    let isOver = false
    const ended = (): void => {
      isOver = true
    }
    work.then(ended, ended)
    for (let i = 0; !isOver && i < 10_000; i += 1) {
      await turns(2)
      if (!isOver) clock.advance(100)
    }
    return clock.monotonicMs() - beganMs
  }
  return { clock, producer, tried, settled }
}

const chunk = (value: string, partition = 0) => ({ topic: 't', partition, messages: [{ value, partition }] })

describe('what is given to the producer at once', () => {
  it.each(['lost', 'silent'] as const)('has 30 s for all of it when all is %s', async how => {
    const { producer, tried, settled } = producerOver(() => how)
    const sent = producer.send(chunk('a'), chunk('b'), chunk('c'), chunk('x', 1))
    const tookMs = await settled(sent)
    await expect(sent).rejects.toMatchObject({ code: 'CRY_SERVER_UNREACHABLE' })
    expect(tookMs).toBeGreaterThan(25_000)
    expect(tookMs).toBeLessThanOrEqual(30_100)
    // Nothing overtakes what failed.
    expect(new Set(tried)).toEqual(new Set(['a', 'x']))
    await settled(producer.close())
  })

  it('waits its turn within its own 30 s', async () => {
    const { clock, producer, tried, settled } = producerOver(() => 'silent')
    const first = producer.send(chunk('a'))
    first.catch(() => undefined)
    await turns(5)
    clock.advance(10_000)
    const second = producer.send(chunk('b'))
    const tookMs = await settled(second)
    await expect(second).rejects.toMatchObject({ code: 'CRY_SERVER_UNREACHABLE' })
    expect(tookMs).toBeLessThanOrEqual(30_100)
    expect(tried).toEqual(['a', 'b'])
    await settled(producer.close())
  })

  it('is sent whatever another call has lost', async () => {
    const { clock, producer, tried, settled } = producerOver(value => (value === 'a' ? 'lost' : 'stored'))
    const first = producer.send(chunk('a'), chunk('b'))
    first.catch(() => undefined)
    await turns(5)
    clock.advance(1_000)
    const second = producer.send(chunk('c'))
    await settled(first)
    await expect(first).rejects.toMatchObject({ code: 'CRY_SERVER_UNREACHABLE' })
    await settled(second)
    await second
    expect(new Set(tried)).toEqual(new Set(['a', 'c']))
    await settled(producer.close())
  })

  it('is told at once when the producer closes, and what waited is never sent', async () => {
    const { producer, tried, settled } = producerOver(() => 'silent')
    const sends = [producer.send(chunk('a'), chunk('b')), producer.send(chunk('c'))]
    for (const sent of sends) sent.catch(() => undefined)
    await until(() => tried.length === 1, 'it is on its way')
    const tookMs = await settled(producer.close())
    for (const sent of sends) await expect(sent).rejects.toMatchObject({ code: 'CRY_SERVER_UNREACHABLE' })
    await expect(producer.send(chunk('d'))).rejects.toMatchObject({ code: 'CRY_SERVER_UNREACHABLE' })
    expect(tried).toEqual(['a'])
    expect(tookMs).toBeLessThanOrEqual(3_100)
  })
})
