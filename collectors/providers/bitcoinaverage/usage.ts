import type { EpochMicros } from '../../../core/brands.ts'
import type { ProviderUsage } from '../../../core/ports/ledger.ts'
import { addMs, DAY, HOUR, SECOND } from '../../../core/time.ts'
import { objectOf, refusePayload, wholeOf } from '../../check.ts'
import { type Json, JsonNumber, type JsonObject, parseExact } from '../../json.ts'
import type { UsageEndpoint } from '../../provider.ts'
import { developer } from './plans.ts'

/** `/info/ratelimits`: requests of the present period and when it ends. */
export const usage: UsageEndpoint = {
  request: { path: '/info/ratelimits', query: {}, headers: { accept: 'application/json' } },
  read,
}

const longestMs = 31 * DAY

/** A period of up to a day counts as the day, a longer one as the month: never more than the provider allows. */
function read(body: Uint8Array, at: EpochMicros): ProviderUsage {
  const root = objectOf(parseExact(body), '$')
  const limit = needed(root, 'requests_per_period')
  const used = Math.max(0, limit - needed(root, 'requests_left'))
  const resetS = needed(root, 'counter_reset')
  if (resetS * SECOND > longestMs)
    refusePayload('$.counter_reset', 'up to 31 days', root.get('counter_reset'))
  const resetsAt = addMs(at, resetS * SECOND)
  const { ms, text } = periodOf(root.get('total_period'))
  const isDay = ms <= DAY
  return {
    at,
    limits: {
      // The answer does not name the plan; its requests do.
      plan: `${limit} requests in ${text}`,
      creditsPerMonth: isDay ? null : limit,
      creditsPerDay: isDay ? limit : null,
      callsPerMinute: developer.callsPerMinute,
    },
    monthUsed: used,
    dayUsed: isDay ? used : null,
    monthResetsAt: isDay ? null : resetsAt,
  }
}

function needed(root: JsonObject, name: string): number {
  return wholeOf(root.get(name)) ?? refusePayload(`$.${name}`, 'a whole number', root.get(name))
}

const units: Readonly<Record<string, number>> = { '': SECOND, h: HOUR, d: DAY }

/** `24h`, `30d`, or seconds. */
function periodOf(value: Json | undefined): { readonly ms: number; readonly text: string } {
  const text = value instanceof JsonNumber ? value.text : value
  const match = typeof text === 'string' ? /^(\d{1,8})([hd]?)$/.exec(text) : null
  const ms = Number(match?.[1] ?? 0) * (units[match?.[2] ?? ''] ?? 0)
  if (!match || ms <= 0 || ms > longestMs) return refusePayload('$.total_period', 'up to 31 days', value)
  return { ms, text: match[2] === '' ? `${match[1]} s` : match[0] }
}
