import { subscribe as onChannel, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, it } from 'vitest'
import { EpochMicros } from '../core/brands.ts'
import { CryptosError } from '../core/errors.ts'
import type { TopicMessage } from '../core/ports/broker.ts'
import type { DeadLetter } from '../core/records.ts'
import { until } from '../topics/harness.contract.ts'
import { openDeadLetters } from './dead-letters.ts'
import {
  FakeSink,
  broker,
  clock,
  committed,
  events,
  good,
  kinds,
  later,
  letters,
  nth,
  run,
  sink,
  start,
  topic,
  useDelivery,
  utf8,
} from './delivery.contract.ts'
import { all } from './sink.contract.ts'

useDelivery()

describe('deliver', () => {
  it('stores in order, then commits, and announces stored before committed', async () => {
    const announced: string[] = []
    const listen = (m: unknown): void => {
      announced.push((m as { step: string }).step)
    }
    onChannel('cryptos:step', listen)
    await broker.produce([good(0), good(1), good(2)])
    const delivery = run()
    await until(() => announced.length === 2, 'both steps')
    unsubscribe('cryptos:step', listen)
    expect(announced).toEqual(['stored', 'committed'])
    expect(sink.rows).toEqual([nth(0), nth(1), nth(2)])
    expect(sink.sources).toEqual([{ group: 'sink.fake', topic, partition: 0, first: 0, end: 3 }])
    expect(await committed()).toBe(3)
    expect(await delivery.stop()).toEqual({ received: 3, written: 3, superseded: 0, dead: 0, retried: 0 })
  })

  it('buries each kind of poison with its bytes and reason, and stores the neighbours', async () => {
    const value = good(0).value!
    const headers = good(0).headers
    const poison: readonly (readonly [string, Partial<TopicMessage>, RegExp])[] = [
      ['invalid UTF-8', { value: new Uint8Array([0x7b, 0xff, 0xfe]) }, /valid UTF-8/],
      ['no JSON', { value: utf8.encode('{"kind":') }, /not JSON/],
      ['5 MB', { value: new Uint8Array(5 * 1_024 * 1_024).fill(0x20) }, /5242880 bytes/],
      [
        'another version',
        { headers: { ...headers, schema: 'quote.v2+json' } },
        /quote\.v2\+json.*expected quote\.v1/,
      ],
      ['no schema', { headers: {} }, /header schema/],
      ['no value', { value: null }, /no value/],
      [
        'a wrong field',
        { value: utf8.encode(new TextDecoder().decode(value).replace('84278.77808276', '-1')) },
        /\$\.price/,
      ],
      ['long headers', { headers: { ...headers, x: 'y'.repeat(20_000) } }, /headers/],
    ]
    const messages = poison.flatMap(([, change], i) => [{ ...good(0), ...change }, good(i + 1)])
    await broker.produce(messages)
    const delivery = run()
    await until(() => sink.rows.length === poison.length, 'the neighbours')
    expect(await delivery.stop()).toEqual({ received: 16, written: 8, superseded: 0, dead: 8, retried: 0 })
    const found = await all(letters.list())
    expect(found).toHaveLength(poison.length)
    for (const [i, [what, change, reason]] of poison.entries()) {
      const letter = found[i]!
      expect(letter.reason, what).toMatch(reason)
      expect(letter.code).toBe('CRY_RECORD_INVALID')
      expect([letter.stage, letter.topic, letter.partition, letter.offset]).toEqual([
        'sink.fake',
        topic,
        0,
        2 * i,
      ])
      const expected = change.value === undefined ? value : (change.value ?? new Uint8Array())
      expect(Buffer.from(letter.bytes, 'base64').equals(Buffer.from(expected)), what).toBe(true)
    }
    expect(sink.rows.map(q => q.observedAt - start)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect(await committed()).toBe(16)
  })

  it('moves on behind a batch of nothing but poison', async () => {
    await broker.produce([{ ...good(0), value: null }])
    const delivery = run()
    await until(() => sink.sources.length === 1, 'the empty write')
    await delivery.stop()
    expect(sink.sources[0]?.end).toBe(1)
    expect(await committed()).toBe(1)
  })

  it('retries what is worth it, with pauses, and commits nothing meanwhile', async () => {
    await broker.produce([good(0)])
    let failures = 3
    sink.fail = () => (failures-- > 0 ? new CryptosError('CRY_STORE_BUSY', 'busy') : undefined)
    const delivery = run()
    await until(() => kinds().includes('write-retried'), 'first retry')
    expect(await committed()).toBeUndefined()
    await later(() => sink.rows.length === 1, 'stored')
    expect((await delivery.stop()).retried).toBe(3)
    expect(events.flatMap(e => (e.kind === 'write-retried' ? [e.pauseMs] : []))).toEqual([100, 200, 400])
  })

  it('never gives up on an outage: after the last try the batch comes again, nothing is lost or passed over', async () => {
    await broker.produce([good(0), good(1)])
    let down = true
    sink.fail = () => (down ? new CryptosError('CRY_DISK_FULL', 'full') : undefined)
    const delivery = run({ maxAttempts: 2 })
    await later(() => kinds().filter(k => k === 'batch-thrown-back').length >= 3, 'thrown back')
    expect(await committed()).toBeUndefined()
    expect(await all(letters.list())).toEqual([])
    down = false
    await later(() => sink.rows.length === 2, 'stored')
    expect(await delivery.stop()).toMatchObject({ received: 2, written: 2 })
  })

  it('ends with the error where the reaction is stop, and commits nothing', async () => {
    await broker.produce([good(0)])
    sink.fail = () => new CryptosError('CRY_STORE_CORRUPT', 'damaged')
    await expect(run().done).rejects.toMatchObject({ code: 'CRY_STORE_CORRUPT' })
    expect(await committed()).toBeUndefined()
  })

  it('buries one record that the sink itself refuses, and stores its neighbours', async () => {
    await broker.produce([0, 1, 2].map(good))
    const refused = nth(1).observedAt
    sink.fail = list =>
      list.some(q => q.observedAt === refused)
        ? new CryptosError('CRY_VALUE_INVALID', 'too large here')
        : undefined
    const delivery = run()
    await until(() => sink.rows.length === 2, 'the neighbours')
    await until(() => kinds().includes('batch-stored'), 'done')
    expect(await delivery.stop()).toEqual({ received: 3, written: 2, superseded: 0, dead: 1, retried: 0 })
    expect((await all(letters.list())).map(l => [l.offset, l.code])).toEqual([[1, 'CRY_VALUE_INVALID']])
    expect(sink.sources.at(-1)?.end).toBe(3)
  })

  it('does not go past a record whose letter can not be kept', async () => {
    await broker.produce([{ ...good(0), value: null }, good(1)])
    let down = true
    const write = async (list: readonly DeadLetter[]): Promise<void> => {
      if (down) throw new CryptosError('CRY_DISK_FULL', 'full')
      await letters.write(list)
    }
    const delivery = run({ deadLetters: { write } })
    await later(() => kinds().includes('batch-thrown-back'), 'held')
    expect(sink.rows).toEqual([])
    expect(await committed()).toBeUndefined()
    down = false
    await later(() => sink.rows.length === 1, 'goes on')
    await delivery.stop()
    expect(await all(letters.list())).toHaveLength(1)
  })

  it('stops where the dead-letter topic does not exist at all', async () => {
    await broker.produce([{ ...good(0), value: null }])
    const wrong = openDeadLetters({ broker, topic: 'nope', clock })
    await expect(run({ deadLetters: wrong }).done).rejects.toMatchObject({ code: 'CRY_CONFIG_INVALID' })
    expect(await committed()).toBeUndefined()
  })

  it('ends promptly by the signal in the middle of a pause', async () => {
    await broker.produce([good(0)])
    sink.fail = () => new CryptosError('CRY_STORE_BUSY', 'busy')
    const delivery = run()
    await until(() => kinds().includes('write-retried'), 'in the pause')
    expect(await delivery.stop()).toMatchObject({ written: 0, retried: 1 })
    expect(await committed()).toBeUndefined()
  })

  it('gives every sink its own group: one that fails does not hold the other', async () => {
    await broker.produce([good(0), good(1)])
    const other = new FakeSink()
    sink.fail = () => new CryptosError('CRY_DISK_FULL', 'full')
    const one = run()
    const two = run({ sink: other, group: 'sink.other' })
    await until(() => other.rows.length === 2, 'the healthy sink')
    await one.stop()
    await two.stop()
    expect(await committed('sink.other')).toBe(2)
    expect(await committed()).toBeUndefined()
  })

  it('tells a gap', async () => {
    await broker.produce([good(0), good(1)])
    await broker.applyRetention(EpochMicros(start + 30 * 86_400_000_000))
    const position = async (): Promise<number> => 1
    const delivery = run({ sink: Object.assign(new FakeSink(), { position }) })
    await until(() => kinds().includes('gap'), 'the gap')
    await delivery.stop()
    expect(events[0]).toEqual({ kind: 'gap', topic, partition: 0, from: 1, to: 2 })
  })
})
