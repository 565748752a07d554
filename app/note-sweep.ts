import { ProviderId, type EpochMicros } from '../core/brands.ts'
import { toCryptosError } from '../core/errors.ts'
import type { PollPorts } from '../collectors/poll-types.ts'
import { toIso } from '../core/time.ts'
import { periodStartOf } from '../quota/pages.ts'
import type { SweepResult } from './sweep.ts'

export interface SweepTime {
  readonly startedAt: EpochMicros
  /** Time of the slot, where one was named. */
  readonly period: EpochMicros | 'now' | undefined
  /** The grid of the dataset's slots. */
  readonly refreshMs: number
}

/**
 * Notes a sweep that ended before any page as one run, so that whoever skipped a task can be shown the ledger's word for it. Only
 * where a spender is named: a loop of our own asks every second whether it is time. Never throws.
 */
export async function noteSweep(
  ports: PollPorts,
  result: SweepResult,
  { startedAt, period, refreshMs }: SweepTime,
): Promise<SweepResult> {
  const { spender } = ports
  if (spender === undefined || result.pages.length > 0) return result
  const { provider, dataset, outcome, reason, retryAt } = result
  const at = period === undefined || period === 'now' ? startedAt : period
  const slot = `${provider}/${dataset}/${toIso(periodStartOf(at, refreshMs))}`
  const run = { slot, runId: ports.newId() }
  try {
    await ports.ledger.addRun({
      kind: 'run',
      ...run,
      ...{ provider: ProviderId(provider), dataset, startedAt, endedAt: ports.clock.now() },
      ...{ outcome, reason, credits: 0, records: 0, spender },
      ...(retryAt === undefined ? {} : { retryAt }),
    })
    return { ...result, run }
  } catch (error) {
    ports.log?.warn({ slot, outcome }, `the run could not be noted: ${toCryptosError(error).message}`)
    return result
  }
}
