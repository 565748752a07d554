import type { Codec } from '../../core/ports/codec.ts'
import { quotaEventKinds } from '../../core/records.ts'
import type { QuotaEvent } from '../../core/records.ts'
import {
  anyText,
  count,
  countOrNull,
  encodeJson,
  has,
  micros,
  microsOrNull,
  oneOf,
  parseObject,
  providerId,
  text,
  whole,
} from './fields.ts'

const maxEventBytes = 16 * 1_024
const windows = ['minute', 'day', 'month', 'none'] as const

/** Fields in one fixed order, so that one event always has the same bytes. */
const canonical = (e: QuotaEvent): object => ({
  kind: e.kind,
  ledger: e.ledger,
  sequence: e.sequence,
  scope: e.scope,
  provider: e.provider,
  at: e.at,
  what: e.what,
  why: e.why,
  credits: e.credits,
  slot: e.slot,
  window: e.window,
  limit: e.limit,
  used: e.used,
  reserved: e.reserved,
  resetsAt: e.resetsAt,
})

function readEvent(bytes: Uint8Array): QuotaEvent {
  const f = parseObject(bytes, maxEventBytes)
  return {
    kind: oneOf(f, 'kind', ['quota-event']),
    ledger: text(f, 'ledger', 128),
    sequence: count(f, 'sequence'),
    scope: text(f, 'scope', 256),
    provider: providerId(f, 'provider'),
    at: micros(f, 'at'),
    what: oneOf(f, 'what', quotaEventKinds),
    why: anyText(f, 'why', 2_000),
    // A reconcile may give credits back.
    credits: whole(f, 'credits'),
    ...(has(f, 'slot') ? { slot: text(f, 'slot', 512) } : {}),
    window: oneOf(f, 'window', windows),
    limit: countOrNull(f, 'limit'),
    used: count(f, 'used'),
    reserved: count(f, 'reserved'),
    resetsAt: microsOrNull(f, 'resetsAt'),
  }
}

/** A quota event as JSON. */
export const quotaEventJson: Codec<QuotaEvent> = {
  schema: 'quota-event.v1+json',
  encode: event => encodeJson(canonical(event)),
  decode: readEvent,
}
