import type { StoreName } from '../../../app/config/parts.ts'
import type { StoreSink } from '../../../app/open-store.ts'
import type { Quote } from '../../../core/records.ts'
import { percentile } from '../../line.ts'
import type { Moved, MoverTask } from './mover.ts'
import { ours } from './ours.ts'

/** Rows of the time in which the consumer joins its group and its code gets warm are not counted. */
export const warmUpMs = 10_000

interface Stored {
  readonly end: number
  readonly at: readonly number[]
}

/**
 * How old each row is when it can be read in the store and its offset is committed. A row's `receivedAt` is the moment at which it was
 * due to be produced, so what waits in the generator counts too.
 */
export async function fresh(task: MoverTask, store: StoreName): Promise<Moved> {
  const waiting = new Map<number, Stored[]>()
  const ages: { readonly at: number; readonly ageMs: number }[] = []
  const around = (sink: StoreSink): StoreSink => {
    const write = sink.write.bind(sink)
    sink.write = async (quotes: readonly Quote[], source) => {
      const result = await write(quotes, source)
      const list = waiting.get(source.partition) ?? []
      waiting.set(source.partition, [...list, { end: source.end, at: quotes.map(q => q.receivedAt) }])
      return result
    }
    return sink
  }
  const onCommitted = ({ partition, end }: { readonly partition: number; readonly end: number }): void => {
    const now = Date.now()
    const list = waiting.get(partition) ?? []
    for (const stored of list.filter(s => s.end <= end))
      for (const at of stored.at) ages.push({ at, ageMs: now - at / 1_000 })
    waiting.set(
      partition,
      list.filter(s => s.end > end),
    )
  }
  const moved = await ours(task, { stores: [store], around, onCommitted })
  const first = Math.min(...ages.map(a => a.at).slice(0, 1_000))
  const counted = ages.filter(a => a.at >= first + warmUpMs * 1_000).map(a => a.ageMs)
  const more = {
    rows: counted.length,
    p50: percentile(counted, 0.5),
    p99: percentile(counted, 0.99),
    max: percentile(counted, 1),
  }
  return { ...moved, more }
}
