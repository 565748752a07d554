import { Credits } from '../core/brands.ts'
import { toCryptosError } from '../core/errors.ts'
import type { Attempt, Ended } from './poll-types.ts'
import type { HttpAnswer, Mapped } from './provider.ts'

/** What a durable answer holds, for the result of the run. The publisher maps the same body again. */
export function readAnswer(
  { task, runId }: Attempt,
  answer: HttpAnswer,
  credits: number,
): Pick<Ended, 'outcome' | 'reason' | 'records'> {
  const { source, dataset, page } = task
  try {
    const mapped = dataset.map(answer.body, {
      provider: source.provider.id,
      dataset: dataset.id,
      page,
      origin: source.origin,
      runId,
      receivedAt: answer.receivedAt,
      revision: 0,
      credits: Credits(credits),
      rawRef: task.slot,
    })
    return summaryOf(mapped)
  } catch (error) {
    return { outcome: 'payload-invalid', reason: toCryptosError(error).message, records: 0 }
  }
}

const mostNamed = 5
const prices = (count: number): string => (count === 1 ? '1 price' : `${count} prices`)

function summaryOf({ records, missing }: Mapped): Pick<Ended, 'outcome' | 'reason' | 'records'> {
  const count = records.length
  if (missing.length === 0) return { outcome: 'collected', reason: prices(count), records: count }
  const named = missing.slice(0, mostNamed).map(m => `${m.asset} (${m.reason})`)
  const more = missing.length > mostNamed ? ` and ${missing.length - mostNamed} more` : ''
  return {
    outcome: 'partial',
    reason: `${prices(count)}, none for ${named.join(', ')}${more}`,
    records: count,
  }
}
