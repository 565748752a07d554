import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Broker } from '../core/ports/broker.ts'
import { DAY, HOUR, MINUTE, addMs } from '../core/time.ts'
import { consumeContract } from './consume.contract.ts'
import {
  message as messageOf,
  single,
  specs,
  subscribe,
  textOf,
  topic,
  virtualRig,
} from './harness.contract.ts'
import type { OpenBroker } from './harness.contract.ts'

/** What every broker must do. `open` makes an empty one with these topics; a server of its own brings its own rig. */
export function brokerContract(name: string, open: OpenBroker, makeRig = virtualRig): void {
  consumeContract(name, open, makeRig)
  describe(`broker ${name} as a log`, () => {
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
      const odd = message('ключ|"\n', 'v', {
        headers: { 'a"b': 'c\nd', __proto__x: 'y' },
        timestamp: rig.start,
      })
      await broker.produce([odd, message('gone', null)])
      const found = []
      for await (const m of broker.read(single, { offset: 0 })) found.push(m)
      const [first] = found
      if (!first) throw new Error('nothing was read')
      // Each by its name, since a broker may read them when they are asked for.
      const { topic, partition, offset, key, headers, timestamp, value } = first
      const { value: sent, ...expected } = odd
      const rest = { topic, partition, offset, key, headers, timestamp }
      expect(rest).toEqual({ ...expected, partition: 0, offset: 0 })
      // Bytes of any class: a client's Buffer is not copied.
      expect([...(value ?? [])]).toEqual([...(sent ?? [])])
      expect(found[1]?.value).toBeNull()
    })

    it('replays from an offset and from a time, up to the end as it was', async () => {
      const at = (minutes: number) => addMs(rig.start, minutes * MINUTE)
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

    it('replays one partition alone, from its own place', async () => {
      await broker.produce(Array.from({ length: 40 }, (_, i) => message(`key-${i}`, String(i), { topic })))
      for (const { partition, end } of await broker.partitions(topic)) {
        const found: (readonly [number, number])[] = []
        for await (const m of broker.read(topic, { offset: 1, partition }))
          found.push([m.partition, m.offset])
        expect(found).toEqual(Array.from({ length: Math.max(0, end - 1) }, (_, i) => [partition, i + 1]))
      }
      expect(await readTexts({ offset: 0, partition: 99 }, topic)).toEqual([])
    })

    it('reads more than a page', async () => {
      await produceTexts(...Array.from({ length: 1_234 }, (_, i) => String(i)))
      expect(await readTexts({ offset: 0 })).toEqual(Array.from({ length: 1_234 }, (_, i) => String(i)))
    })

    it('removes what is older than the retention, tells the gap, and never uses an offset again', async () => {
      const old = addMs(rig.start, -25 * HOUR)
      await broker.produce(['a', 'b'].map(t => message('k', t, { timestamp: old })))
      await produceTexts('c')
      expect(await rig.retain(broker, rig.start)).toBe(2)
      expect(await broker.partitions(single)).toEqual([{ topic: single, partition: 0, begin: 2, end: 3 }])
      const gaps: unknown[] = []
      const consumer = subscribe(broker, { startAt: async () => 0, onGap: gap => gaps.push(gap) })
      await rig.until(() => consumer.texts().length === 1, 'the rest')
      await consumer.stop()
      expect(consumer.texts()).toEqual(['c'])
      expect(gaps).toEqual([{ topic: single, partition: 0, from: 0, to: 2 }])
      const later = addMs(rig.start, 2 * DAY)
      expect(await rig.retain(broker, later)).toBe(1)
      expect(await rig.retain(broker, later)).toBe(0)
      await produceTexts('d')
      expect(await broker.partitions(single)).toEqual([{ topic: single, partition: 0, begin: 3, end: 4 }])
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
      const more = specs.map(s => ({ ...s, retentionMs: HOUR, partitions: 9 }))
      if (rig.tellsMissingPartitions) {
        await expect(broker.createTopics(more)).rejects.toMatchObject({ code: 'CRY_SERVER_CONFIG' })
        await broker.createTopics(specs.map(s => ({ ...s, retentionMs: HOUR })))
      } else await broker.createTopics(more)
      expect(await broker.partitions(topic)).toHaveLength(3)
      expect(await readTexts({ offset: 0 }, topic)).toEqual(['a'])
      expect(await rig.retain(broker, addMs(rig.start, 2 * HOUR))).toBe(1)
      const bad = { name: 'a b', partitions: 1, retentionMs: 1, maxMessageBytes: 1 }
      await expect(broker.createTopics([bad])).rejects.toMatchObject({ code: 'CRY_CONFIG_INVALID' })
    })
  })
}
