import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fromEpochMs } from '../core/time.ts'
import type { Broker, TopicSpec } from '../core/ports/broker.ts'
import { DAY, HOUR } from '../core/time.ts'
import { VirtualClock } from '../core/virtual-clock.ts'
import { message, start, subscribe, textOf, turns, until } from './harness.contract.ts'

const topic = 'test.quotes.v1'
const single = 'test.single.v1'
const specs: readonly TopicSpec[] = [
  { name: topic, partitions: 3, retentionMs: DAY, maxMessageBytes: 10_000 },
  { name: single, partitions: 1, retentionMs: DAY, maxMessageBytes: 1_000 },
]

/** What every broker must do. `open` makes an empty one with these topics. */
export function brokerContract(
  name: string,
  open: (clock: VirtualClock, topics: readonly TopicSpec[]) => Promise<Broker>,
): void {
  describe(`broker ${name}`, () => {
    let clock = new VirtualClock(start)
    let broker: Broker
    beforeEach(async () => {
      clock = new VirtualClock(start)
      broker = await open(clock, specs)
    })
    afterEach(() => broker.close())

    const produceTexts = (...texts: string[]): Promise<void> =>
      broker.produce(texts.map(t => message('k', t)))
    const committedOf = async (group: string): Promise<number | undefined> =>
      (await broker.committed(group)).find(c => c.topic === single)?.offset
    const readTexts = async (
      from: Parameters<Broker['read']>[1],
      of = single,
    ): Promise<(string | null)[]> => {
      const found: (string | null)[] = []
      for await (const m of broker.read(of, from)) found.push(textOf(m.value))
      return found
    }

    it('keeps the order of one key in one partition, with offsets that count up', async () => {
      const sent = Array.from({ length: 60 }, (_, i) => message(`key-${i % 7}`, String(i), { topic }))
      await broker.produce(sent.slice(0, 31))
      await broker.produce(sent.slice(31))
      const seen = new Map<string, number[]>()
      const partitions = new Map<string, Set<number>>()
      const offsets = new Map<number, number[]>()
      for await (const m of broker.read(topic, { offset: 0 })) {
        seen.set(m.key, [...(seen.get(m.key) ?? []), Number(textOf(m.value))])
        partitions.set(m.key, (partitions.get(m.key) ?? new Set()).add(m.partition))
        offsets.set(m.partition, [...(offsets.get(m.partition) ?? []), m.offset])
      }
      expect([...seen.values()].flat()).toHaveLength(60)
      for (const numbers of seen.values()) expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
      for (const set of partitions.values()) expect(set.size).toBe(1)
      for (const list of offsets.values()) expect(list).toEqual(list.map((_, i) => i))
      expect(offsets.size).toBeGreaterThan(1)
    })

    it('gives back key, value, headers and timestamp as they came, and tombstones as null', async () => {
      const odd = message('ключ|"\n', 'v', { headers: { 'a"b': 'c\nd', __proto__x: 'y' }, timestamp: start })
      await broker.produce([odd, message('gone', null)])
      const found = []
      for await (const m of broker.read(single, { offset: 0 })) found.push(m)
      expect(found[0]).toEqual({ ...odd, partition: 0, offset: 0 })
      expect(found[1]?.value).toBeNull()
    })

    it('gives every group all records from the beginning, and each its own offset', async () => {
      await produceTexts('a', 'b')
      const one = subscribe(broker, { group: 'one' })
      await until(() => one.texts().length === 2, 'group one has all')
      const two = subscribe(broker, { group: 'two' })
      await until(() => two.texts().length === 2, 'group two has all')
      await one.stop()
      await produceTexts('c')
      await until(() => two.texts().length === 3, 'group two goes on')
      await two.stop()
      expect(one.texts()).toEqual(['a', 'b'])
      expect(await committedOf('one')).toBe(2)
      expect(await committedOf('two')).toBe(3)
      const again = subscribe(broker, { group: 'one' })
      await until(() => again.texts().length === 1, 'group one goes on')
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
      await until(() => entered, 'the batch is handed out')
      expect(await committedOf('test')).toBeUndefined()
      expect(told).toBe(0)
      gate.resolve()
      await until(() => told === 1, 'the commit is told')
      expect(await committedOf('test')).toBe(1)
      await consumer.stop()
    })

    it('gives a thrown batch again after a pause, before anything behind it', async () => {
      await produceTexts('a')
      const errors: unknown[] = []
      const tries: (string | null)[][] = []
      const consumer = subscribe(broker, {
        onBatch: async batch => {
          tries.push(batch.messages.map(m => textOf(m.value)))
          if (tries.length < 3) throw new Error(`no ${tries.length}`)
        },
        onError: error => errors.push(error),
      })
      await until(() => tries.length === 1, 'first try')
      await produceTexts('b')
      await until(() => errors.length === 1, 'told')
      expect(await committedOf('test')).toBeUndefined()
      expect(tries).toHaveLength(1)
      for (let i = 0; i < 5; i += 1) {
        clock.advance(200)
        await nextTurn()
        await nextTurn()
      }
      await until(() => tries.length >= 4, 'tried again')
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
      await until(() => again.texts().length === 2, 'redelivered')
      await again.stop()
    })

    it('closes batches by count', async () => {
      await produceTexts('a', 'b', 'c', 'd', 'e')
      const consumer = subscribe(broker, { limits: { maxRecords: 2, maxBytes: 100_000, maxAgeMs: 0 } })
      await until(() => consumer.texts().length === 5, 'all')
      await consumer.stop()
      expect(consumer.batches.map(b => b.messages.length)).toEqual([2, 2, 1])
      expect(consumer.batches.map(b => b.end)).toEqual([5, 5, 5])
    })

    it('closes batches by bytes', async () => {
      await produceTexts(...Array.from({ length: 4 }, () => 'x'.repeat(300)))
      const consumer = subscribe(broker, { limits: { maxRecords: 100, maxBytes: 700, maxAgeMs: 0 } })
      await until(() => consumer.texts().length === 4, 'all')
      await consumer.stop()
      expect(consumer.batches.map(b => b.messages.length)).toEqual([2, 2])
    })

    it('closes batches by age: not before, and then all that came in time', async () => {
      const consumer = subscribe(broker, { limits: { maxRecords: 100, maxBytes: 100_000, maxAgeMs: 500 } })
      await produceTexts('a')
      await turns(50)
      clock.advance(400)
      await produceTexts('b')
      await turns(50)
      expect(consumer.batches).toHaveLength(0)
      clock.advance(100)
      await until(() => consumer.batches.length === 1, 'the batch is old enough')
      expect(consumer.texts()).toEqual(['a', 'b'])
      await consumer.stop()
    })

    it('starts where the caller says, whatever the group has committed', async () => {
      await produceTexts('a', 'b', 'c')
      const first = subscribe(broker)
      await until(() => first.texts().length === 3, 'all')
      await first.stop()
      const second = subscribe(broker, { startAt: async () => 1 })
      await until(() => second.texts().length === 2, 'from 1')
      await second.stop()
      expect(second.texts()).toEqual(['b', 'c'])
      expect(await committedOf('test')).toBe(3)
    })

    it('never moves the committed offset of a group back', async () => {
      await produceTexts('a', 'b', 'c')
      const first = subscribe(broker)
      await until(() => first.texts().length === 3, 'all')
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
      await until(() => consumer.texts().length === 1, 'read')
      await consumer.stop()
      expect(gaps).toEqual([{ topic: single, partition: 0, from: 99, to: 0 }])
    })

    it('replays from an offset and from a time, up to the end as it was', async () => {
      const at = (minutes: number) => fromEpochMs(Date.UTC(2026, 10, 21, 12, minutes))
      await broker.produce([0, 1, 2, 3].map(i => message('k', `m${i}`, { timestamp: at(i) })))
      expect(await readTexts({ offset: 2 })).toEqual(['m2', 'm3'])
      expect(await readTexts({ time: at(1) })).toEqual(['m1', 'm2', 'm3'])
      expect(await readTexts({ time: at(9) })).toEqual([])
      const found: (string | null)[] = []
      for await (const m of broker.read(single, { offset: 3 })) {
        found.push(textOf(m.value))
        if (found.length < 3) await produceTexts('later')
      }
      expect(found).toEqual(['m3'])
    })

    it('reads more than a page', async () => {
      await produceTexts(...Array.from({ length: 1_234 }, (_, i) => String(i)))
      expect(await readTexts({ offset: 0 })).toEqual(Array.from({ length: 1_234 }, (_, i) => String(i)))
    })

    it('removes what is older than the retention, tells the gap, and never uses an offset again', async () => {
      const old = fromEpochMs(Date.UTC(2026, 10, 20, 11))
      await broker.produce(['a', 'b'].map(t => message('k', t, { timestamp: old })))
      await produceTexts('c')
      expect(await broker.applyRetention(start)).toBe(2)
      expect(await broker.partitions(single)).toEqual([{ topic: single, partition: 0, begin: 2, end: 3 }])
      const gaps: unknown[] = []
      const consumer = subscribe(broker, { startAt: async () => 0, onGap: gap => gaps.push(gap) })
      await until(() => consumer.texts().length === 1, 'the rest')
      await consumer.stop()
      expect(consumer.texts()).toEqual(['c'])
      expect(gaps).toEqual([{ topic: single, partition: 0, from: 0, to: 2 }])
      clock.advance(2 * DAY)
      expect(await broker.applyRetention(clock.now())).toBe(1)
      expect(await broker.applyRetention(clock.now())).toBe(0)
      await produceTexts('d')
      expect(await broker.partitions(single)).toEqual([{ topic: single, partition: 0, begin: 3, end: 4 }])
    })

    it('lets a group that is not behind pass a retention without a gap', async () => {
      await produceTexts('a')
      const gaps: unknown[] = []
      const consumer = subscribe(broker, { onGap: gap => gaps.push(gap) })
      await until(() => consumer.texts().length === 1, 'read')
      await broker.applyRetention(fromEpochMs(Date.UTC(2026, 11, 1)))
      await produceTexts('b')
      await until(() => consumer.texts().length === 2, 'read on')
      await consumer.stop()
      expect(gaps).toEqual([])
    })

    it('refuses an unknown topic and a message over the size, and then stores nothing of the batch', async () => {
      const refused = { code: 'CRY_RECORD_INVALID' }
      const good = message('k', 'good')
      await expect(broker.produce([good, message('k', 'x', { topic: 'nope' })])).rejects.toMatchObject(
        refused,
      )
      await expect(broker.produce([good, message('k', 'x'.repeat(1_001))])).rejects.toMatchObject(refused)
      await expect(broker.produce([good, message('k'.repeat(2_000), 'x')])).rejects.toMatchObject(refused)
      await expect(subscribe(broker, { topics: ['nope'] }).done).rejects.toMatchObject(refused)
      await expect(broker.partitions('nope')).rejects.toMatchObject(refused)
      expect(await readTexts({ offset: 0 })).toEqual([])
    })

    it('makes topics once, changes their retention, and keeps their records and partitions', async () => {
      await broker.produce([message('k', 'a', { topic })])
      await broker.createTopics(specs.map(s => ({ ...s, retentionMs: HOUR, partitions: 9 })))
      expect(await broker.partitions(topic)).toHaveLength(3)
      expect(await readTexts({ offset: 0 }, topic)).toEqual(['a'])
      clock.advance(2 * HOUR)
      expect(await broker.applyRetention(clock.now())).toBe(1)
      const bad = { name: 'a b', partitions: 1, retentionMs: 1, maxMessageBytes: 1 }
      await expect(broker.createTopics([bad])).rejects.toMatchObject({ code: 'CRY_CONFIG_INVALID' })
    })

    it('ends consume promptly by the signal, also before it began, and close ends what still runs', async () => {
      await subscribe(broker, { signal: AbortSignal.abort() }).done
      const idle = subscribe(broker)
      await turns(5)
      await idle.stop()
      await produceTexts('a')
      expect(idle.texts()).toEqual([])
      const running = subscribe(broker)
      await until(() => running.texts().length === 1, 'read')
      await broker.close()
      await running.done
      broker = await open(clock, specs)
    })
  })
}
