import type { EpochMicros } from '../../../core/brands.ts'
import type { Spending, Spent as Amount } from '../../../core/ports/ledger.ts'
import type { ScopeState } from '../../policy/state.ts'
import type { Spent } from '../../policy/spending.ts'

/** A row of the table `spending`, as the driver of any database gives it. */
type Row = Readonly<Record<string, unknown>>

/** Of several calls of one commit: an upsert may not meet the same row twice. */
export function addedUp(spent: readonly Spent[]): readonly (Spent & { readonly calls: number })[] {
  const sums = new Map<string, Spent & { readonly calls: number }>()
  for (const one of spent) {
    const key = JSON.stringify([one.scope, one.day, one.month, one.spender, one.dataset])
    const { calls = 0, credits = 0 } = sums.get(key) ?? {}
    sums.set(key, { ...one, calls: calls + 1, credits: credits + one.credits })
  }
  return [...sums.values()]
}

const nothing: Amount = { calls: 0, credits: 0 }

const plus = (sum: Amount, row: Row): Amount => ({
  calls: sum.calls + Number(row['calls']),
  credits: sum.credits + Number(row['credits']),
})

/** What each spender spent in the periods that are open, the largest of the month first. */
export function spendingOf(rows: readonly Row[], states: readonly ScopeState[]): readonly Spending[] {
  const sums = new Map<string, Spending>()
  for (const row of rows) {
    const state = states.find(({ scope }) => scope === row['scope'])
    if (!state || Number(row['month']) !== state.month.startsAt) continue
    const [scope, spender, dataset] = [state.scope, String(row['spender']), String(row['dataset'])]
    const key = JSON.stringify([scope, spender, dataset])
    const { today, month } = sums.get(key) ?? { today: nothing, month: nothing }
    const isToday = Number(row['day']) === state.day.startsAt
    sums.set(key, {
      ...{ scope, spender, dataset },
      today: isToday ? plus(today, row) : today,
      month: plus(month, row),
    })
  }
  return [...sums.values()].sort(
    (a, b) =>
      b.month.credits - a.month.credits || b.month.calls - a.month.calls || (a.spender < b.spender ? -1 : 1),
  )
}

/** The oldest month that is open: rows before it need not be read. */
export const oldestMonth = (states: readonly ScopeState[]): EpochMicros =>
  states.reduce(
    (oldest, { month }) => (month.startsAt < oldest ? month.startsAt : oldest),
    Number.MAX_SAFE_INTEGER as EpochMicros,
  )
