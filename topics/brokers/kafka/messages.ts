import type { IHeaders, KafkaMessage, Message } from 'kafkajs'
import type { EpochMicros } from '../../../core/brands.ts'
import type { StoredMessage, TopicMessage } from '../../../core/ports/broker.ts'
import { FetchedRecord } from './fetched-record.ts'
import { setOwn } from './own-field.ts'

/** Kafka's timestamps are milliseconds: the microseconds behind them travel in this header where they are not 0. */
const microsHeader = 'cryptos-micros'

/** Our message as kafkajs takes it, for a partition that we chose. */
export function toKafka(message: TopicMessage, partition: number): Message {
  const { key, value, headers, timestamp } = message
  const micros = timestamp % 1_000
  return {
    key,
    value: value === null ? null : Buffer.from(value.buffer, value.byteOffset, value.byteLength),
    partition,
    timestamp: String(Math.floor(timestamp / 1_000)),
    headers: micros === 0 ? headers : { ...headers, [microsHeader]: String(micros) },
  }
}

/** A message of the log as ours. Foreign ones are taken as they are: a key that is missing is '', a header is its first value. */
export const fromKafka = (topic: string, partition: number, message: KafkaMessage): StoredMessage =>
  new LogMessage(topic, partition, message)

/** Read of what was fetched when it is asked for: thousands wait for their store, and of most only the value is looked at. */
class LogMessage implements StoredMessage {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly #message: KafkaMessage
  constructor(topic: string, partition: number, message: KafkaMessage) {
    this.topic = topic
    this.partition = partition
    this.offset = Number(message.offset)
    this.#message = message
  }

  get key(): string {
    return this.#message.key?.toString() ?? ''
  }
  get value(): Uint8Array | null {
    return this.#message.value
  }
  get timestamp(): EpochMicros {
    const micros = microsOf(textOf(this.#message.headers?.[microsHeader]))
    return (Math.max(0, Number(this.#message.timestamp)) * 1_000 + micros) as EpochMicros
  }
  get headers(): Readonly<Record<string, string>> {
    const headers: Record<string, string> = {}
    const given = this.#message.headers ?? {}
    // No list of entries: this runs for every record that is read.
    for (const name of Object.keys(given))
      if (name !== microsHeader) setOwn(headers, name, textOf(given[name]))
    return headers
  }
}

const textOf = (header: IHeaders[string]): string =>
  (Array.isArray(header) ? header[0] : header)?.toString() ?? ''

/** Bytes that count for batch limits: key, value and headers. */
export function kafkaBytes(message: KafkaMessage): number {
  if (message instanceof FetchedRecord) return message.bytes
  const { key, value, headers = {} } = message
  let bytes = (key?.length ?? 0) + (value?.length ?? 0)
  for (const name in headers) bytes += name.length + lengthOf(headers[name])
  return bytes
}

const lengthOf = (header: IHeaders[string]): number =>
  Array.isArray(header)
    ? header.reduce((sum, one: Buffer | string | null) => sum + (one?.length ?? 0), 0)
    : (header?.length ?? 0)

const microsOf = (text: string): number => (/^\d{1,3}$/.test(text) ? Number(text) : 0)
