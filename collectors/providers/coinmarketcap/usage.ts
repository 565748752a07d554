import type { EpochMicros } from '../../../core/brands.ts'
import { isCryptosError } from '../../../core/errors.ts'
import type { ProviderUsage } from '../../../core/ports/ledger.ts'
import { parseIso } from '../../../core/time.ts'
import { objectOf, refusePayload, wholeOf } from '../../check.ts'
import { type Json, type JsonObject, parseExact } from '../../json.ts'
import type { UsageEndpoint } from '../../provider.ts'

/** `/v1/key/info`: 0 credits, but a call of the minute. Fields of the daily limit exist only in plans that have one. */
export const usage: UsageEndpoint = {
  request: { path: '/v1/key/info', query: {}, headers: { accept: 'application/json' } },
  read,
}

function read(body: Uint8Array, at: EpochMicros): ProviderUsage {
  const data = objectOf(objectOf(parseExact(body), '$').get('data'), '$.data')
  const plan = objectOf(data.get('plan'), '$.data.plan')
  const used = objectOf(data.get('usage'), '$.data.usage')
  const creditsPerMonth = needed(plan, 'credit_limit_monthly', '$.data.plan')
  return {
    at,
    limits: {
      // key/info does not name the plan; its monthly credits do.
      plan: `${creditsPerMonth} credits a month`,
      creditsPerMonth,
      creditsPerDay: dailyLimit(plan.get('credit_limit_daily')),
      callsPerMinute: needed(plan, 'rate_limit_minute', '$.data.plan'),
    },
    monthUsed: needed(part(used, 'current_month'), 'credits_used', '$.data.usage.current_month'),
    dayUsed: wholeOf(part(used, 'current_day').get('credits_used')) ?? null,
    monthResetsAt: resetOf(plan.get('credit_limit_monthly_reset_timestamp')),
  }
}

const part = (used: JsonObject, name: string): JsonObject => objectOf(used.get(name), `$.data.usage.${name}`)

function needed(object: JsonObject, name: string, path: string): number {
  return wholeOf(object.get(name)) ?? refusePayload(`${path}.${name}`, 'a whole number', object.get(name))
}

/** 0 stands for "no daily limit" in plans that had the field. */
function dailyLimit(value: Json | undefined): number | null {
  const limit = wholeOf(value)
  return limit === undefined || limit === 0 ? null : limit
}

function resetOf(value: Json | undefined): EpochMicros | null {
  if (typeof value !== 'string') return null
  try {
    return parseIso(value)
  } catch (error) {
    if (isCryptosError(error))
      return refusePayload('$.data.plan.credit_limit_monthly_reset_timestamp', 'a time', value)
    throw error
  }
}
