import type { ScopeStatus, Spending, Spent, WindowStatus } from '../../core/ports/ledger.ts'
import type { QuotaEvent, QuotaEventKind, Run } from '../../core/records.ts'
import { toIso } from '../../core/time.ts'
import { forecastText, skipsOf, unnamedOf } from '../../dashboards/web/quota-view.ts'
import { count } from '../plural.ts'

const number = (value: number): string => value.toLocaleString('en-US')

function windowLine(w: WindowStatus): string {
  const of = w.limit === null ? 'no limit' : `of ${number(w.limit)}, ${number(w.left ?? 0)} left`
  return `  ${w.window.padEnd(6)} used ${number(w.used)}, reserved ${number(w.reserved)}, ${of}; resets at ${toIso(w.resetsAt)}`
}

/** When the credits end; nothing where no credits are counted. */
const paceLines = (scope: ScopeStatus): string[] =>
  scope.windows.some(w => w.window !== 'minute' && w.limit !== null) ? [`  ${forecastText(scope)}`] : []

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

const spentText = ({ calls, credits }: Spent): string =>
  `${number(calls)} ${calls === 1 ? 'call' : 'calls'}, ${number(credits)} ${credits === 1 ? 'credit' : 'credits'}`

/** Who spent it, where anybody is named: this month and today. */
export function spenderLines(scope: ScopeStatus, spending: readonly Spending[]): string[] {
  const named = spending.filter(s => s.scope === scope.scope)
  if (named.length === 0) return []
  const { today, month } = unnamedOf(scope, spending)
  return [
    ...named.map(s => `  ${s.spender} (${s.dataset}): ${spentText(s.month)}; today ${spentText(s.today)}`),
    `  nobody that was named: ${number(month.credits)} credits; today ${number(today.credits)}`,
  ]
}

const skipsTold = 5

/** The newest skips of spenders that are named. */
export const skipLines = (runs: readonly Run[]): string[] =>
  skipsOf(runs)
    .filter(run => run.spender !== undefined)
    .slice(0, skipsTold)
    .map(
      ({ endedAt, provider, dataset, outcome, reason, spender = '' }) =>
        `skipped ${toIso(endedAt)} ${provider}/${dataset} for ${spender}: ${outcome}, ${reason}`,
    )

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
