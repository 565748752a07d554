import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TopicMessage } from '../../../core/ports/broker.ts'
import { messageBytes } from '../../messages.ts'
import { micros } from '../../records.contract.ts'
import { chunksOf } from './chunks.ts'
import { fromKafka, kafkaBytes, toKafka } from './messages.ts'

const messages: fc.Arbitrary<TopicMessage> = fc.record({
  topic: fc.constant('t'),
  key: fc.string({ unit: 'grapheme', maxLength: 20 }),
  value: fc.option(fc.uint8Array({ maxLength: 300 })),
  headers: fc.dictionary(
    fc.oneof(fc.constantFrom('__proto__', 'constructor', 'a"b'), fc.string()),
    fc.string({ unit: 'grapheme' }),
  ),
  timestamp: micros,
})

/** As the servers give it back: bytes, and numbers as text. */
const throughServer = (message: ReturnType<typeof toKafka>, offset: number) => ({
  key: Buffer.from(String(message.key)),
  value: message.value === null ? null : Buffer.from(message.value as Buffer),
  timestamp: message.timestamp ?? '',
  offset: String(offset),
  attributes: 0,
  headers: Object.fromEntries(
    Object.entries(message.headers ?? {}).map(([name, value]) => [name, Buffer.from(String(value))]),
  ),
})

describe('messages in Kafka', () => {
  it('come back as they went, to the microsecond', () => {
    fc.assert(
      fc.property(messages, fc.nat(), (message, offset) => {
        const back = fromKafka('t', 3, throughServer(toKafka(message, 3), offset))
        const { topic, partition, key, headers, timestamp } = back
        // kafkajs' own bytes, not a copy of them.
        const value = back.value && new Uint8Array(back.value)
        const expected = { ...message, headers: { ...message.headers }, partition: 3, offset }
        expect({ topic, partition, offset: back.offset, key, value, headers, timestamp }).toEqual(expected)
      }),
    )
  })

  it('of others are taken as they are', () => {
    const foreign = {
      key: null,
      value: Buffer.from('v'),
      timestamp: '-1',
      offset: '9007199254740991',
      attributes: 0,
      headers: { many: ['first', 'second'], none: undefined, 'cryptos-micros': 'x' },
    }
    expect(fromKafka('t', 0, foreign)).toMatchObject({
      key: '',
      timestamp: 0,
      headers: { many: 'first', none: '' },
    })
  })

  it('have a size whatever their headers are', () => {
    const bare = { key: null, value: null, timestamp: '0', offset: '0', attributes: 0 }
    expect(kafkaBytes({ ...bare, headers: {} })).toBe(0)
    const headers = { a: 'xy', many: ['1', '22'], none: undefined, nulls: [Buffer.from('333'), null] }
    const size = kafkaBytes({ ...bare, key: Buffer.from('k'), value: Buffer.from('value'), headers } as never)
    expect(size).toBe('k'.length + 'value'.length + 'amanynonenulls'.length + 2 + 3 + 3)
  })

  it('are cut into chunks that keep every message, its order and the limits', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(messages, fc.nat(3)), { maxLength: 40 }),
        fc.integer({ min: 1, max: 2_000 }),
        (placed, batchBytes) => {
          const targets = placed.map(([, partition]) => ({ topic: 'n', partition, batchBytes }))
          const chunks = chunksOf(
            placed.map(([message]) => message),
            targets,
          )
          for (let partition = 0; partition < 4; partition += 1) {
            const sent = chunks.filter(c => c.partition === partition).flatMap(c => c.messages)
            expect(sent).toEqual(
              placed.filter(([, p]) => p === partition).map(([m]) => toKafka(m, partition)),
            )
          }
          for (const chunk of chunks) {
            expect(new Set(chunk.messages.map(m => m.partition))).toEqual(new Set([chunk.partition]))
            expect(chunk.messages.length).toBeLessThanOrEqual(500)
          }
          const whole = placed.reduce((bytes, [m]) => bytes + messageBytes(m) + 100, 0)
          if (whole <= batchBytes) expect(chunks.length).toBe(new Set(targets.map(t => t.partition)).size)
        },
      ),
    )
  })

  it('go in calls of at most 500', () => {
    const many = Array.from(
      { length: 1_201 },
      (_, i): TopicMessage => ({
        topic: 't',
        key: String(i),
        value: null,
        headers: {},
        timestamp: 0 as TopicMessage['timestamp'],
      }),
    )
    const targets = many.map(() => ({ topic: 'n', partition: 0, batchBytes: 1e9 }))
    expect(chunksOf(many, targets).map(c => c.messages.length)).toEqual([500, 500, 201])
  })
})
