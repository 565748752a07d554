import type { ScopeStatus, WindowStatus } from '../../core/ports/ledger.ts'
import type { QuotaEvent, QuotaEventKind } from '../../core/records.ts'
import { toIso } from '../../core/time.ts'
import { count } from '../plural.ts'

const number = (value: number): string => value.toLocaleString('en-US')

function windowLine(w: WindowStatus): string {
  const of = w.limit === null ? 'no limit' : `of ${number(w.limit)}, ${number(w.left ?? 0)} left`
  return `  ${w.window.padEnd(6)} used ${number(w.used)}, reserved ${number(w.reserved)}, ${of}; resets at ${toIso(w.resetsAt)}`
}

/** When the credits end; nothing where no credits are counted. */
function paceLines({ windows, runsOutAt }: ScopeStatus): string[] {
  if (runsOutAt !== null) return [`  at this pace it runs out at ${toIso(runsOutAt)}`]
  const hasCredits = windows.some(w => w.window !== 'minute' && w.limit !== null)
  return hasCredits ? ['  at this pace it lasts until the reset'] : []
}

/** A plan of the table by its name; one that the provider told has no name, only its size: `plan of 15,000 credits a month`. */
function planText(plan: string): string {
  if (plan === 'keyless') return 'without a key'
  const sized = plan.replaceAll(/\d{4,}/g, digits => number(Number(digits)))
  return /^\d/.test(plan) ? `plan of ${sized}` : `plan ${plan}`
}

/** One scope for people. */
export function scopeText(scope: ScopeStatus): string {
  const frozen = scope.frozen === null ? '' : ` FROZEN: ${scope.frozen}`
  const paused = scope.pausedWhy === null ? '' : ` PAUSED: ${scope.pausedWhy}`
  const head = `${scope.provider} ${scope.scope} (${planText(scope.plan)})${frozen}${paused}`
  const reconciled =
    scope.lastReconciledAt === null
      ? []
      : [
          `  the provider's own figure was read at ${toIso(scope.lastReconciledAt)}, drift ${scope.drift ?? 0}`,
        ]
  return [head, ...scope.windows.map(windowLine), ...paceLines(scope), ...reconciled].join('\n')
}

/** Events of one call: what it may cost, or did. */
const ofCalls: ReadonlySet<QuotaEventKind> = new Set([
  'reserved',
  'settled',
  'settled-unknown',
  'overcharged',
  'reaped',
])

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** One event for people: when, whose, what, how many credits, for which slot, why. Ids that only programs read are left out. */
export function eventText({ at, sequence, provider, what, credits, slot, why }: QuotaEvent): string {
  const amount = credits !== 0 || ofCalls.has(what) ? ` ${count(credits, 'credit')}` : ''
  const place = slot === undefined ? '' : ` for ${slot}`
  const reason = why === '' || uuid.test(why) ? '' : `: ${why.replace(/^plan keyless$/, 'without a key')}`
  return `${toIso(at)} #${sequence} ${provider} ${what}${amount}${place}${reason}`
}
