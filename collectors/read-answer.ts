import { Credits } from '../core/brands.ts'
import { toCryptosError } from '../core/errors.ts'
import type { RawAnswer } from '../core/ports/ledger.ts'
import type { Ended } from './poll-types.ts'
import type { Dataset, Mapped } from './provider.ts'
import { contextOf } from './saved-context.ts'

/** What a durable answer holds, for the result of the run. The publisher maps the same body again, in the same context. */
export function readAnswer(
  answer: RawAnswer,
  dataset: Dataset,
  credits: number,
): Pick<Ended, 'outcome' | 'reason' | 'records'> {
  try {
    const context = contextOf({ ...answer, credits: Credits(credits), revision: 0 })
    return summaryOf(dataset.map(answer.body, context))
  } catch (error) {
    return { outcome: 'payload-invalid', reason: toCryptosError(error).message, records: 0 }
  }
}

const mostNamed = 5
const prices = (count: number): string => (count === 1 ? '1 price' : `${count} prices`)

function summaryOf({
  records,
  metrics = [],
  missing,
}: Mapped): Pick<Ended, 'outcome' | 'reason' | 'records'> {
  const count = records.length + metrics.length
  const told = metrics.length === 0 ? prices(count) : `${metrics.length} figures of the market`
  if (missing.length === 0) return { outcome: 'collected', reason: told, records: count }
  const named = missing.slice(0, mostNamed).map(m => `${m.asset} (${m.reason})`)
  const more = missing.length > mostNamed ? ` and ${missing.length - mostNamed} more` : ''
  return {
    outcome: 'partial',
    reason: `${prices(count)}, none for ${named.join(', ')}${more}`,
    records: count,
  }
}
