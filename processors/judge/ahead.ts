import type { EpochMicros } from '../../core/brands.ts'
import type { Quote } from '../../core/records.ts'
import { spanText } from './figures.ts'
import type { JudgeParameters } from './parameters.ts'

/** Whether the moment lies further after `now` than clocks may differ. */
export const isAhead = (
  at: EpochMicros,
  now: EpochMicros,
  { aheadMs }: Pick<JudgeParameters, 'aheadMs'>,
): boolean => (at - now) / 1_000 > aheadMs

/** Why a value from the future is not believed: our clock was ahead when it came, or the source's is; undefined = it is none. */
export function aheadText(
  { observedAt, receivedAt }: Pick<Quote, 'observedAt' | 'receivedAt'>,
  now: EpochMicros,
  parameters: Pick<JudgeParameters, 'aheadMs'>,
): string | undefined {
  const what = isAhead(receivedAt, now, parameters) ? 'received' : 'observed'
  const at = what === 'received' ? receivedAt : observedAt
  return isAhead(at, now, parameters)
    ? `clock ahead: ${what} ${spanText((at - now) / 1_000)} after now`
    : undefined
}
