import type { Codec } from '../../core/ports/codec.ts'
import type { DeadLetter } from '../../core/records.ts'
import { anyText, encodeJson, micros, oneOf, parseObject, refuse, text, whole } from './fields.ts'
import type { Fields } from './fields.ts'

const maxLetterBytes = 16 * 1_024 * 1_024
const maxHeaders = 64
const base64Pattern = /^[A-Za-z0-9+/]*={0,2}$/

/** Fields and headers in one fixed order, so that one letter always has the same bytes. */
const canonical = (d: DeadLetter): object => ({
  kind: d.kind,
  id: d.id,
  stage: d.stage,
  topic: d.topic,
  partition: d.partition,
  offset: d.offset,
  code: d.code,
  reason: d.reason,
  at: d.at,
  bytes: d.bytes,
  headers: Object.fromEntries(Object.entries(d.headers).sort(([a], [b]) => (a < b ? -1 : 1))),
})

/** fromEntries defines own properties, so a header named `__proto__` stays a header. */
function headers(f: Fields): Readonly<Record<string, string>> {
  const value = f['headers']
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refuse('$.headers', 'not an object')
  const entries = Object.entries(value)
  if (entries.length > maxHeaders) refuse('$.headers', `more than ${maxHeaders}`)
  for (const [name, content] of entries)
    if (typeof content !== 'string') refuse(`$.headers.${name.slice(0, 60)}`, 'not text')
  return Object.fromEntries(entries) as Record<string, string>
}

function base64(f: Fields): string {
  const value = anyText(f, 'bytes', maxLetterBytes)
  return value.length % 4 === 0 && base64Pattern.test(value) ? value : refuse('$.bytes', 'not base64')
}

function readLetter(bytes: Uint8Array): DeadLetter {
  const f = parseObject(bytes, maxLetterBytes)
  return {
    kind: oneOf(f, 'kind', ['dead-letter']),
    id: text(f, 'id', 512),
    stage: text(f, 'stage', 128),
    topic: anyText(f, 'topic', 256),
    // -1 where the letter is no message of a topic but a provider's answer.
    partition: whole(f, 'partition'),
    offset: whole(f, 'offset'),
    code: text(f, 'code', 64),
    reason: anyText(f, 'reason', 2_000),
    at: micros(f, 'at'),
    bytes: base64(f),
    headers: headers(f),
  }
}

/** A dead letter as JSON, its bytes as base64. */
export const deadLetterJson: Codec<DeadLetter> = {
  schema: 'dead-letter.v1+json',
  encode: letter => encodeJson(canonical(letter)),
  decode: readLetter,
}
