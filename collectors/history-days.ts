import type { EpochMicros } from '../core/brands.ts'
import { DAY, toIso } from '../core/time.ts'
import type { TimeRange } from './provider.ts'

/** Most runs of days that are named; of the rest only their number is told. */
const mostNamed = 10

/** A piece of the grid of past prices, such as a UTC day, counted from 1970-01-01. */
export type Step = number

export const stepOf = (at: EpochMicros, stepMs: number): Step => Math.floor(at / (stepMs * 1_000))

/**
 * Steps that an answer owes a price of: those that lie whole in [from, to) and were over when it came.
 * @param overAt what ends later is owed by nobody
 */
export function owedSteps({ from, to }: TimeRange, stepMs: number, overAt: EpochMicros): readonly Step[] {
  const micros = stepMs * 1_000
  const first = Math.ceil(from / micros)
  const count = Math.floor(Math.min(to, overAt) / micros) - first
  return Array.from({ length: Math.max(0, count) }, (_, n) => first + n)
}

/** `2026-10-02`, or the time where the step is no day. */
export function stepText(step: Step, stepMs: number): string {
  const text = toIso((step * stepMs * 1_000) as EpochMicros)
  return stepMs % DAY === 0 ? text.slice(0, 10) : text
}

/** `2026-10-02 to 2026-10-04: not in the answer`: neighbours with the same reason as one. Steps in their order. */
export function tellSteps(reasons: readonly (readonly [Step, string])[], stepMs: number): readonly string[] {
  const runs: { first: Step; last: Step; reason: string }[] = []
  for (const [step, reason] of reasons) {
    const run = runs.at(-1)
    if (run && run.last + 1 === step && run.reason === reason) run.last = step
    else runs.push({ first: step, last: step, reason })
  }
  const told = runs.slice(0, mostNamed).map(({ first, last, reason }) => {
    const end = first === last ? '' : ` to ${stepText(last, stepMs)}`
    return `${stepText(first, stepMs)}${end}: ${reason}`
  })
  const rest = runs.slice(mostNamed).reduce((sum, { first, last }) => sum + last - first + 1, 0)
  return rest === 0 ? told : [...told, `and ${rest} more`]
}
