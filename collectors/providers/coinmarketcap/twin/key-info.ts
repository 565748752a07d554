import type { EpochMicros } from '../../../../core/brands.ts'
import { DAY, HOUR, MINUTE, toIso } from '../../../../core/time.ts'
import { nextPeriodStart } from '../../../../sandbox/calendar.ts'
import type { Json } from '../../../../sandbox/json.ts'
import type { Endpoint } from './endpoint.ts'

/** `In 6 days, 7 hours, 56 minutes`. */
export function untilText(at: EpochMicros, resetsAt: EpochMicros): string {
  const ms = (resetsAt - at) / 1_000
  const parts = [
    [Math.floor(ms / DAY), 'day'],
    [Math.floor((ms % DAY) / HOUR), 'hour'],
    [Math.floor((ms % HOUR) / MINUTE), 'minute'],
  ] as const
  const shown = parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}${count === 1 ? '' : 's'}`)
  return `In ${shown.length === 0 ? '0 minutes' : shown.join(', ')}`
}

function limitMembers(
  name: 'daily' | 'monthly',
  limit: number | null,
  at: EpochMicros,
): Record<string, Json> {
  if (limit === null) return {}
  const resetsAt = nextPeriodStart(name === 'daily' ? 'day' : 'month', at)
  return {
    [`credit_limit_${name}`]: limit,
    [`credit_limit_${name}_reset`]: untilText(at, resetsAt),
    [`credit_limit_${name}_reset_timestamp`]: toIso(resetsAt),
  }
}

/** What the key may do and has done. Free, but it counts toward the minute. Plans without a daily limit have no `credit_limit_daily*`. */
export const keyInfo: Endpoint = {
  path: '/v1/key/info',
  variant: 'A',
  keyless: false,
  account: true,
  run({ at, account }) {
    const { plan } = account
    const calls = account.callsThisMinute(at)
    const [dayUsed, monthUsed] = [account.creditsTold('day', at), account.creditsTold('month', at)]
    const left = (limit: number | null, used: number): Record<string, Json> =>
      limit === null ? {} : { credits_left: Math.max(0, limit - used) }
    const data = {
      plan: {
        ...limitMembers('daily', plan.creditsPerDay, at),
        ...limitMembers('monthly', plan.creditsPerMonth, at),
        rate_limit_minute: plan.callsPerMinute,
      },
      usage: {
        current_minute: { requests_made: calls, requests_left: Math.max(0, plan.callsPerMinute - calls) },
        current_day: { credits_used: dayUsed, ...left(plan.creditsPerDay, dayUsed) },
        current_month: { credits_used: monthUsed, ...left(plan.creditsPerMonth, monthUsed) },
      },
    }
    return { data, credits: 0, values: [] }
  },
}
