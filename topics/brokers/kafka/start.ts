import type { PartitionState } from '../../../core/ports/broker.ts'

/** What is known about the place of a group in a partition; an offset is the first that is not done. */
export interface Reached {
  /** What the caller's own store says. */
  readonly own: number | undefined
  /** The group's committed offset; -1 = none. */
  readonly group: number
  /** What this subscription itself has done here. */
  readonly done: number | undefined
}

/**
 * Where a partition that was just assigned goes on. The caller's word may be as old as the subscription, so it never leads back
 * behind what the subscription has done. A place behind the end means that the log was made anew: all of it is read. One before
 * the begin: retention was faster.
 */
export function startOf(
  { begin, end }: PartitionState,
  { own, group, done = -1 }: Reached,
): { readonly next: number; readonly gap?: { readonly from: number; readonly to: number } } {
  const asked = Math.max(own ?? group, done)
  if (asked < 0) return { next: begin }
  if (asked >= begin && asked <= end) return { next: asked }
  return { next: begin, gap: { from: asked, to: begin } }
}
