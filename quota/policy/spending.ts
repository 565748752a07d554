import type { EpochMicros } from '../../core/brands.ts'
import type { Reservation, ScopeState } from './state.ts'

/** One call that was charged to whom its reservation names, in the periods that were open then. */
export interface Spent {
  readonly scope: string
  /** Start of the day and of the month that count it, as the ledger has opened them. */
  readonly day: EpochMicros
  readonly month: EpochMicros
  readonly spender: string
  readonly dataset: string
  readonly credits: number
}

/** Calls of no slot: the provider's usage, a list of its assets. */
export const asideDataset = 'aside'

/** `<name>/<run>`: who spends is the name. */
export const spenderName = (spender: string): string => spender.split('/', 1)[0] ?? spender

/** What closing a reservation with a charge is to its spender; nothing where none is named. Of the state before the charge. */
export const spentBy = (
  { scope, day, month }: ScopeState,
  { spender, slot }: Reservation,
  credits: number,
): readonly Spent[] =>
  spender === undefined
    ? []
    : [
        {
          scope,
          day: day.startsAt,
          month: month.startsAt,
          spender,
          dataset: slot?.split('/', 2)[1] ?? asideDataset,
          credits,
        },
      ]
