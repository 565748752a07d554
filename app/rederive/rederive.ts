import { EpochMicros, type ProviderId } from '../../core/brands.ts'
import type { Broker } from '../../core/ports/broker.ts'
import type { Clock } from '../../core/ports/clock.ts'
import type { Ledger } from '../../core/ports/ledger.ts'
import type { Metric } from '../../core/records.ts'
import { SECOND } from '../../core/time.ts'
import type { Provider } from '../../collectors/provider.ts'
import { type PublishResult, publishPending } from '../../collectors/publish.ts'
import { deriveEntry } from '../../collectors/publish-messages.ts'
import type { TopicTable } from '../../topics/table.ts'
import type { Log } from '../log.ts'
import { Changes, type RowChanges } from './changes.ts'
import { type Slice, Slices } from './slices.ts'

/** Which answers: received in [from, to), of one provider or of all. */
export interface RederiveRange {
  readonly provider?: ProviderId
  readonly from: EpochMicros
  readonly to: EpochMicros
}

export interface RederivePorts {
  readonly ledger: Ledger
  readonly broker: Broker
  readonly clock: Clock
  readonly providers: readonly Provider[]
  readonly topics: TopicTable
  /** Of the publisher's lease. */
  readonly holder: string
  readonly log: Log
  readonly signal: AbortSignal
}

export interface Found extends RowChanges {
  /** Published answers with their raw bodies. */
  readonly answers: number
  /** Of these, still waiting for the publisher: they are mapped by the current mapping anyway. */
  readonly waiting: number
  /** Prices and figures that the current mapping makes of them. */
  readonly rows: number
  /** Answers that the current mapping can not read. */
  readonly deadLetters: number
  readonly oldestAt: EpochMicros | null
  readonly slices: readonly Slice[]
}

/** Maps all answers of the range again and compares with the topics. Writes nothing, calls nobody. */
export async function lookAgain(ports: RederivePorts, range: RederiveRange): Promise<Found> {
  const { ledger, providers, broker, topics, signal } = ports
  const changes = new Changes()
  const slices = new Slices(range)
  const found = { waiting: 0, rows: 0, deadLetters: 0 }
  for await (const entry of ledger.outbox.between(range.from, range.to)) {
    signal.throwIfAborted()
    if (range.provider !== undefined && entry.provider !== range.provider) continue
    if (entry.publishedAt === null) {
      found.waiting += 1
      continue
    }
    slices.add(entry)
    const { quotes, market, error } = deriveEntry(providers, entry)
    const rows = [...quotes, ...market.filter((r): r is Metric => r.kind === 'metric')]
    found.rows += rows.length
    if (error) found.deadLetters += 1
    changes.made(entry, rows)
  }
  const { oldestAt, answers } = slices
  if (oldestAt !== null) await changes.readTopics(broker, topics, oldestAt)
  return { ...found, ...changes.count(), answers, oldestAt, slices: slices.all() }
}

export interface Published {
  /** Answers that are in the topics in their next revision. */
  readonly answers: number
  /** Prices and figures that were published, of other answers that waited too. */
  readonly records: number
  readonly deadLetters: number
  /** What is left begins here; null = nothing is. */
  readonly stoppedAt: EpochMicros | null
  /** `other` = another process publishes and does not come to an end. */
  readonly why: 'done' | 'stopped' | 'other'
}

/**
 * Publishes the answers of the slices once more, in a revision one higher, so that every store gets them, slice by slice.
 * @throws what the ledger or the broker throws: answers that were put back then wait in the outbox for `up` or `publish`
 */
export async function publishAgain(
  ports: RederivePorts,
  range: RederiveRange,
  slices: readonly Slice[],
  onSlice: (answers: number) => void,
): Promise<Published> {
  const { ledger, clock, signal } = ports
  const sum = { answers: 0, records: 0, deadLetters: 0 }
  for (const { from, to } of slices) {
    if (signal.aborted) return { ...sum, stoppedAt: from, why: 'stopped' }
    const of = { ...(range.provider ? { provider: range.provider } : {}), receivedFrom: from, receivedTo: to }
    const now = clock.now()
    sum.answers += await ledger.outbox.republish(Math.ceil(now / 1_000), now, of)
    const done = await drain(ports)
    sum.records += done.records
    sum.deadLetters += done.deadLetters
    onSlice(sum.answers)
    if (!done.isEmpty) return { ...sum, stoppedAt: to, why: signal.aborted ? 'stopped' : 'other' }
  }
  return { ...sum, stoppedAt: null, why: 'done' }
}

/** Another publisher does the same work: it is waited for. */
const maxWaits = 120
const waitMs = SECOND / 2

async function drain(
  ports: RederivePorts,
): Promise<Pick<PublishResult, 'records' | 'deadLetters'> & { readonly isEmpty: boolean }> {
  const { ledger, clock, signal } = ports
  const sum = { records: 0, deadLetters: 0 }
  for (let waits = 0; waits < maxWaits && !signal.aborted; waits += 1) {
    const { held, records, deadLetters } = await publishPending(ports)
    sum.records += records
    sum.deadLetters += deadLetters
    if ((await ledger.outbox.stats()).pending === 0) return { ...sum, isEmpty: true }
    if (!held) await clock.sleep(waitMs, signal).catch(() => undefined)
  }
  return { ...sum, isEmpty: (await ledger.outbox.stats()).pending === 0 }
}

/** Since the beginning. */
export const everFrom = EpochMicros(0)
