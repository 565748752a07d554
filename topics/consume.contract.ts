import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Broker } from '../core/ports/broker.ts'
import { DAY, addMs } from '../core/time.ts'
import { message as messageOf, single, specs, subscribe, textOf, virtualRig } from './harness.contract.ts'
import type { OpenBroker } from './harness.contract.ts'

/** The part of the broker contract that is about groups, batches and offsets. */
export function consumeContract(name: string, open: OpenBroker, makeRig = virtualRig): void {
  describe(`broker ${name} to its consumers`, () => {
    let rig = makeRig()
    let broker: Broker
    beforeEach(async () => {
      rig = makeRig()
      broker = await open(rig.clock, specs)
    })
    afterEach(() => broker.close())

    const message: typeof messageOf = (key, text, more) =>
      messageOf(key, text, { timestamp: rig.start, ...more })
    const produceTexts = (...texts: string[]): Promise<void> =>
      broker.produce(texts.map(t => message('k', t)))
    const committedOf = async (group: string): Promise<number | undefined> =>
      (await broker.committed(group)).find(c => c.topic === single)?.offset

    it('gives every group all records from the beginning, and each its own offset', async () => {
      await produceTexts('a', 'b')
      const one = subscribe(broker, { group: 'one' })
      await rig.until(() => one.texts().length === 2, 'group one has all')
      const two = subscribe(broker, { group: 'two' })
      await rig.until(() => two.texts().length === 2, 'group two has all')
      await one.stop()
      await produceTexts('c')
      await rig.until(() => two.texts().length === 3, 'group two goes on')
      await two.stop()
      expect(one.texts()).toEqual(['a', 'b'])
      expect(await committedOf('one')).toBe(2)
      expect(await committedOf('two')).toBe(3)
      const again = subscribe(broker, { group: 'one' })
      await rig.until(() => again.texts().length === 1, 'group one goes on')
      await again.stop()
      expect(again.texts()).toEqual(['c'])
    })

    it('commits only after onBatch has resolved', async () => {
      await produceTexts('a')
      const gate = Promise.withResolvers<void>()
      let entered = false
      let told = 0
      const consumer = subscribe(broker, {
        onBatch: async () => {
          entered = true
          await gate.promise
        },
        onCommitted: () => {
          told += 1
        },
      })
      await rig.until(() => entered, 'the batch is handed out')
      expect(await committedOf('test')).toBeUndefined()
      expect(told).toBe(0)
      gate.resolve()
      await rig.until(() => told === 1, 'the commit is told')
      expect(await committedOf('test')).toBe(1)
      await consumer.stop()
    })

    it('gives a thrown batch again after a pause, before anything behind it', async () => {
      await produceTexts('a')
      const errors: unknown[] = []
      const tries: (string | null)[][] = []
      const seen = Promise.withResolvers<void>()
      const consumer = subscribe(broker, {
        onBatch: async batch => {
          tries.push(batch.messages.map(m => textOf(m.value)))
          if (tries.length < 3) throw new Error(`no ${tries.length}`)
          await seen.promise
        },
        onError: error => errors.push(error),
      })
      await rig.until(() => tries.length === 1, 'first try')
      await produceTexts('b')
      await rig.until(() => errors.length === 1, 'told')
      expect(await committedOf('test')).toBeUndefined()
      if (rig.isStill) expect(tries).toHaveLength(1)
      seen.resolve()
      for (let i = 0; i < 5; i += 1) await rig.pass(200)
      await rig.until(() => tries.length >= 4, 'tried again')
      await consumer.stop()
      expect(tries.slice(0, 4)).toEqual([['a'], ['a'], ['a'], ['b']])
      expect(errors).toHaveLength(2)
      expect(await committedOf('test')).toBe(2)
    })

    it('gives a batch again when the consumer ended before its commit', async () => {
      await produceTexts('a', 'b')
      const end = new AbortController()
      await subscribe(broker, {
        signal: end.signal,
        onBatch: async () => {
          end.abort()
          throw new Error('crash')
        },
      }).done
      expect(await committedOf('test')).toBeUndefined()
      const again = subscribe(broker)
      await rig.until(() => again.texts().length === 2, 'redelivered')
      await again.stop()
    })

    it('closes batches by count', async () => {
      await produceTexts('a', 'b', 'c', 'd', 'e')
      const consumer = subscribe(broker, { limits: { maxRecords: 2, maxBytes: 100_000, maxAgeMs: 0 } })
      await rig.until(() => consumer.texts().length === 5, 'all')
      await consumer.stop()
      expect(consumer.batches.map(b => b.messages.length)).toEqual([2, 2, 1])
      expect(consumer.batches.map(b => b.end)).toEqual([5, 5, 5])
    })

    it('closes batches by bytes', async () => {
      await produceTexts(...Array.from({ length: 4 }, () => 'x'.repeat(300)))
      const consumer = subscribe(broker, { limits: { maxRecords: 100, maxBytes: 700, maxAgeMs: 0 } })
      await rig.until(() => consumer.texts().length === 4, 'all')
      await consumer.stop()
      expect(consumer.batches.map(b => b.messages.length)).toEqual([2, 2])
    })

    it('closes batches by age: not before, and then all that came in time', async () => {
      const { maxAgeMs, lateShare } = rig.age
      const consumer = subscribe(broker, { limits: { maxRecords: 100, maxBytes: 100_000, maxAgeMs } })
      await produceTexts('a')
      await rig.moments()
      await rig.pass(maxAgeMs * lateShare)
      await produceTexts('b')
      await rig.moments()
      expect(consumer.batches).toHaveLength(0)
      await rig.pass(maxAgeMs - maxAgeMs * lateShare)
      await rig.until(() => consumer.batches.length === 1, 'the batch is old enough')
      expect(consumer.texts()).toEqual(['a', 'b'])
      await consumer.stop()
    })

    it('starts where the caller says, whatever the group has committed', async () => {
      await produceTexts('a', 'b', 'c')
      const first = subscribe(broker)
      await rig.until(() => first.texts().length === 3, 'all')
      await first.stop()
      const second = subscribe(broker, { startAt: async () => 1 })
      await rig.until(() => second.texts().length === 2, 'from 1')
      await second.stop()
      expect(second.texts()).toEqual(['b', 'c'])
      expect(await committedOf('test')).toBe(3)
    })

    it('never moves the committed offset of a group back', async () => {
      await produceTexts('a', 'b', 'c')
      const first = subscribe(broker)
      await rig.until(() => first.texts().length === 3, 'all')
      await first.stop()
      const end = new AbortController()
      const again = subscribe(broker, {
        signal: end.signal,
        limits: { maxRecords: 1, maxBytes: 1_000, maxAgeMs: 0 },
        startAt: async () => 0,
        onCommitted: () => end.abort(),
      })
      await again.done
      expect(again.texts()).toEqual(['a'])
      expect(await committedOf('test')).toBe(3)
    })

    it('reads all again, and says so, when the caller stands behind the end of the log', async () => {
      await produceTexts('a')
      const gaps: unknown[] = []
      const consumer = subscribe(broker, { startAt: async () => 99, onGap: gap => gaps.push(gap) })
      await rig.until(() => consumer.texts().length === 1, 'read')
      await consumer.stop()
      expect(gaps).toEqual([{ topic: single, partition: 0, from: 99, to: 0 }])
    })

    it('lets a group that is not behind pass a retention without a gap', async () => {
      await produceTexts('a')
      const gaps: unknown[] = []
      const consumer = subscribe(broker, { onGap: gap => gaps.push(gap) })
      await rig.until(() => consumer.texts().length === 1, 'read')
      await rig.retain(broker, addMs(rig.start, 10 * DAY))
      await produceTexts('b')
      await rig.until(() => consumer.texts().length === 2, 'read on')
      await consumer.stop()
      expect(gaps).toEqual([])
    })

    it('ends consume promptly by the signal, also before it began, and close ends what still runs', async () => {
      await subscribe(broker, { signal: AbortSignal.abort() }).done
      const idle = subscribe(broker)
      await rig.moments()
      await idle.stop()
      await produceTexts('a')
      expect(idle.texts()).toEqual([])
      const running = subscribe(broker)
      await rig.until(() => running.texts().length === 1, 'read')
      await broker.close()
      await running.done
      broker = await open(rig.clock, specs)
    })
  })
}
