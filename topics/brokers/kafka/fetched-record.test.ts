import { createRequire } from 'node:module'
import fc from 'fast-check'
import type { KafkaMessage } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { fetchLightly } from './fetch-lightly.ts'
import { FetchedRecord } from './fetched-record.ts'
import { quoteJson } from '../../codecs/quote-json.ts'
import { fromKafka, kafkaBytes } from './messages.ts'

const protocol = 'kafkajs/src/protocol'
const ofRecord = `${protocol}/recordBatch/record/v0/decoder`
const ofBatch = `${protocol}/recordBatch/v0/decoder`
const ofFetch = `${protocol}/requests/fetch/v4/decodeMessages`
const load = createRequire(import.meta.url)
const forget = (): void => {
  for (const name of [ofRecord, ofBatch, ofFetch]) delete load.cache[load.resolve(name)]
}

type Encoded = { readonly buffer: Buffer }
type DecodeMessages = (decoder: object) => Promise<readonly KafkaMessage[]>
interface Given {
  readonly key: string | null
  readonly value: Uint8Array | null
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly timestampDelta: number
}

/** Bytes of an answer with one batch of the log, by kafkajs' own encoder. */
async function answerOf(given: readonly Given[], compression: number): Promise<Buffer> {
  const encodeRecord = load(`${protocol}/recordBatch/record/v0`) as (record: object) => Encoded
  const { RecordBatch } = load(`${protocol}/recordBatch/v0`) as {
    RecordBatch: (batch: object) => Promise<Encoded>
  }
  const records = given.map((record, offsetDelta) =>
    encodeRecord({ ...record, value: record.value && Buffer.from(record.value), offsetDelta }),
  )
  const times = { firstTimestamp: 1_790_000_000_000, maxTimestamp: 1_790_000_000_999 }
  const batch = await RecordBatch({ ...times, compression, firstOffset: 4_294_967_290n, records })
  const size = Buffer.alloc(4)
  size.writeInt32BE(batch.buffer.length)
  return Buffer.concat([size, batch.buffer])
}

async function decoded(answer: Buffer, isLight: boolean): Promise<readonly KafkaMessage[]> {
  forget()
  if (isLight) expect(fetchLightly()).toBe(true)
  const Decoder = load(`${protocol}/decoder`) as new (buffer: Buffer) => object
  return await (load(ofFetch) as DecodeMessages)(new Decoder(answer))
}

const textOf = (header: unknown): unknown =>
  Array.isArray(header) ? header.map(textOf) : Buffer.isBuffer(header) ? header.toString() : header

const plain = (message: KafkaMessage): object => ({
  ...{ offset: message.offset, timestamp: message.timestamp, attributes: message.attributes },
  key: message.key?.toString(),
  value: message.value && [...message.value],
  headers: Object.entries(message.headers ?? {}).map(([name, header]) => [name, textOf(header)]),
})

const texts = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 100 }),
  fc.constantFrom('', 'x'.repeat(9_000)),
)
// kafkajs itself mixes up a header with what every object has by that name.
const names = fc.oneof(texts, fc.constantFrom('schema')).filter(name => !(name in {}))
const headerTexts = fc.oneof(texts, fc.array(texts, { minLength: 2, maxLength: 3 }))
const given: fc.Arbitrary<Given> = fc.record({
  key: fc.option(texts),
  value: fc.option(fc.uint8Array({ maxLength: 300 })),
  headers: fc.dictionary(names, headerTexts, { noNullPrototype: true }),
  timestampDelta: fc.oneof(fc.nat({ max: 999 }), fc.integer({ min: -(2 ** 40), max: 2 ** 40 })),
})

describe('a record as it was fetched', () => {
  it('reads as that of kafkajs does, compressed or not', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(given, { maxLength: 20 }), fc.constantFrom(0, 1), async (records, gzip) => {
        const answer = await answerOf(records, gzip)
        const theirs = await decoded(answer, false)
        const ours = await decoded(answer, true)
        expect(ours.map(plain)).toEqual(theirs.map(plain))
        expect(ours.every(record => record instanceof FetchedRecord)).toBe(true)
        expect(theirs.some(record => record instanceof FetchedRecord)).toBe(false)
      }),
      { numRuns: 200 },
    )
  })

  it('knows its batch as kafkajs asks for it, counts what it holds, and is told apart where the log has the time of the server', async () => {
    const records: Given[] = [
      { key: 'k', value: Buffer.from('value'), headers: { a: 'xy' }, timestampDelta: 5 },
    ]
    const [record] = (await decoded(await answerOf(records, 0), true)) as unknown as FetchedRecord[]
    expect(record).toMatchObject({ magicByte: 2, isControlRecord: false, timestamp: '1790000000005' })
    // The six pieces and their four lengths, and the count of headers.
    expect(kafkaBytes(record as never)).toBe('kvalueaxy'.length + 5)
    const batch = { ...record?.batchContext, timestampType: 1, isControlBatch: true } as never
    const bytes = Buffer.from([0, 10, 0, 1, 1, 0])
    expect(new FetchedRecord(bytes, 0, 6, batch)).toMatchObject({
      ...{ timestamp: '1790000000999', isControlRecord: true, key: null, value: null, headers: {} },
    })
  })

  it('has headers of any name', async () => {
    const headers = Object.fromEntries(
      ['__proto__', 'constructor', 'toString'].map(name => [name, ['a', 'b']]),
    )
    const answer = await answerOf([{ key: null, value: null, headers, timestampDelta: 0 }], 0)
    const [record] = await decoded(answer, true)
    expect(Object.entries(record?.headers ?? {})).toEqual(Object.entries(headers))
  })

  it('is one value without a header where its parts do not fill it: any cut or stretched length', () => {
    const batch = { firstOffset: '7' } as never
    const bytes = Buffer.from([0, 0, 0, 2, 107, 4, 118, 118, 2, 2, 97, 2, 98])
    expect(new FetchedRecord(bytes, 0, bytes.length, batch).headers).toEqual({ a: 'b' })
    for (let to = 3; to < bytes.length; to += 1) {
      const { key, value, headers } = new FetchedRecord(bytes, 0, to, batch)
      expect([key, value, headers], String(to)).toEqual([null, bytes.subarray(3, to), {}])
    }
    for (const at of [3, 5, 9, 11]) {
      const spoilt = Buffer.from(bytes)
      spoilt[at] = 0x7e
      const record = new FetchedRecord(spoilt, 0, bytes.length, batch)
      expect([record.key, record.value, record.headers], String(at)).toEqual([null, spoilt.subarray(3), {}])
      const { value = null } = fromKafka('t', 0, record as never)
      expect(() => quoteJson.decode(value ?? Buffer.alloc(0))).toThrow(/JSON/)
    }
  })

  it('is fetched only with the kafkajs that was read, and only where its decoder was not taken before', () => {
    forget()
    expect(fetchLightly('2.2.5')).toBe(false)
    load(ofBatch)
    expect(fetchLightly()).toBe(false)
    forget()
    expect([fetchLightly(), fetchLightly()]).toEqual([true, true])
  })
})
