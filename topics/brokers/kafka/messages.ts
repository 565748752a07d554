import type { IHeaders, KafkaMessage, Message } from 'kafkajs'
import type { EpochMicros } from '../../../core/brands.ts'
import type { StoredMessage, TopicMessage } from '../../../core/ports/broker.ts'

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
export function fromKafka(topic: string, partition: number, message: KafkaMessage): StoredMessage {
  const headers: Record<string, string> = {}
  let micros = 0
  const given = message.headers ?? {}
  // No list of entries, and a plain assignment where it is safe: this runs for every record that is read.
  for (const name of Object.keys(given)) {
    const all = given[name]
    const one = Array.isArray(all) ? all[0] : all
    const text = one?.toString() ?? ''
    if (name === microsHeader) micros = microsOf(text)
    else if (name === '__proto__') Object.defineProperty(headers, name, { value: text, ...ownField })
    else headers[name] = text
  }
  return {
    topic,
    partition,
    offset: Number(message.offset),
    key: message.key?.toString() ?? '',
    value: message.value,
    headers,
    timestamp: (Math.max(0, Number(message.timestamp)) * 1_000 + micros) as EpochMicros,
  }
}

/** Bytes that count for batch limits: key, value and headers. */
export function kafkaBytes({ key, value, headers = {} }: KafkaMessage): number {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0)
  for (const name in headers) bytes += name.length + lengthOf(headers[name])
  return bytes
}

const lengthOf = (header: IHeaders[string]): number =>
  Array.isArray(header)
    ? header.reduce((sum, one: Buffer | string | null) => sum + (one?.length ?? 0), 0)
    : (header?.length ?? 0)

const ownField = { enumerable: true, configurable: true, writable: true }

const microsOf = (text: string): number => (/^\d{1,3}$/.test(text) ? Number(text) : 0)
