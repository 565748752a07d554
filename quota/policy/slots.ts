import type { EpochMicros } from '../../core/brands.ts'
import type { Reservation } from './state.ts'

export type SlotState = 'reserved' | 'answered' | 'published' | 'failed-free' | 'failed-charged'

/** One page of one period of a dataset (rule 8). No row = free. */
export interface SlotRow {
  readonly slot: string
  readonly state: SlotState
  readonly attempts: number
  /** Of the newest attempt. */
  readonly scope: string
  readonly reservationId: string
  readonly reservedAt: EpochMicros
  readonly deadline: EpochMicros
  readonly answerId: string | null
  readonly updatedAt: EpochMicros
}

/** What an operation does to a slot. Each is applied to the row as it is by then, so none can undo a newer one. */
export type SlotChange =
  | { readonly kind: 'reserve'; readonly row: SlotRow }
  | {
      readonly kind: 'release'
      readonly slot: string
      readonly reservationId: string
      readonly to: 'failed-free' | 'failed-charged'
      readonly at: EpochMicros
    }
  | { readonly kind: 'answer'; readonly slot: string; readonly answerId: string; readonly at: EpochMicros }
  | { readonly kind: 'publish'; readonly slot: string; readonly answerId: string; readonly at: EpochMicros }

export const slotOfChange = (change: SlotChange): string =>
  change.kind === 'reserve' ? change.row.slot : change.slot

/**
 * free → reserved(attempt) → answered → published, or failed-free / failed-charged → reserved(attempt 2).
 * Undefined = the row stays as it is.
 */
export function changedSlot(row: SlotRow | undefined, change: SlotChange): SlotRow | undefined {
  if (change.kind === 'reserve') return change.row
  if (!row) return undefined
  const updatedAt = change.at
  switch (change.kind) {
    case 'release':
      return row.state === 'reserved' && row.reservationId === change.reservationId
        ? { ...row, state: change.to, updatedAt }
        : undefined
    case 'answer':
      return row.state === 'published'
        ? undefined
        : { ...row, state: 'answered', answerId: change.answerId, updatedAt }
    case 'publish':
      return row.state === 'answered' && row.answerId === change.answerId
        ? { ...row, state: 'published', updatedAt }
        : undefined
  }
}

/** The row of a slot whose call is in flight. */
export const reservedSlot = (scope: string, slot: string, r: Reservation): SlotRow => ({
  slot,
  state: 'reserved',
  attempts: r.attempt,
  scope,
  reservationId: r.id,
  reservedAt: r.reservedAt,
  deadline: r.deadline,
  answerId: null,
  updatedAt: r.reservedAt,
})
