import { addMs, DAY } from '../../core/time.ts'
import type { BatchSource, RecordSink } from '../../core/ports/sink.ts'
import type { EpochMicros } from '../../core/brands.ts'
import { marketTopics } from '../../topics/messages.ts'
import type { TopicId } from '../../topics/table.ts'
import { partsOf, type StoreName } from '../config/parts.ts'
import { openStore, openStoreReader, type StorePlace } from '../open-store.ts'
import { lockStore } from '../store-lock.ts'
import { groupOf, topics } from '../stores.ts'
import type { AuditReader } from './read-rows.ts'
import type { AuditStore, Repairer } from './store.ts'

const idOfTopic = new Map<string, TopicId>(
  (['quotes', ...marketTopics] as const).map(id => [topics[id].name, id]),
)

/** A store of this installation for the audit. Only SQLite keeps bars; the history of the others is worked out of their rows. */
export const auditStore = (name: StoreName, reader: AuditReader): AuditStore => ({
  name,
  reader,
  groupOf: topic => groupOf(idOfTopic.get(topic) ?? 'quotes', name),
  hasBars: name === 'sqlite',
})

/**
 * The stores open for reading; every one that this installation writes to unless they are named.
 * @throws CryptosError CRY_STORE_*, CRY_SERVER_*; none is open then
 */
export async function openAuditStores(
  place: StorePlace,
  names: readonly StoreName[] = partsOf(place.config).stores,
): Promise<readonly AuditStore[]> {
  const opened: AuditStore[] = []
  try {
    for (const name of names) {
      const store = auditStore(name, await openStoreReader(name, place))
      opened.push({ ...store, ...receivedFrom(name, place), openRepairer: () => openRepairer(name, place) })
    }
  } catch (error) {
    await closeAuditStores(opened)
    throw error
  }
  return opened
}

export async function closeAuditStores(stores: readonly AuditStore[]): Promise<void> {
  for (const { reader } of stores) await reader.close()
}

/** What Cassandra's time to live may have removed: it counts from the write, which is not before a record was received. */
function receivedFrom(
  name: StoreName,
  { config, clock }: StorePlace,
): { readonly receivedFrom?: EpochMicros } {
  const days = name === 'cassandra' ? config.cassandraTtlDays : 0
  return days === 0 ? {} : { receivedFrom: addMs(clock.now(), -days * DAY) }
}

/** Rows that are written again are of no topic: the sink's own position must stay where it is. */
const source: BatchSource = { group: 'audit', topic: 'repair', partition: 0, first: 0, end: 0 }

/** Sinks that can not refuse an older version by themselves have a way to write one that is known to be right. */
type MayRepair<R> = RecordSink<R> & { repair?(records: readonly R[]): Promise<unknown> }

async function writeAgain<R>(sink: MayRepair<R>, records: readonly R[]): Promise<void> {
  await (sink.repair ? sink.repair(records) : sink.write(records, source))
}

/** @throws CryptosError CRY_STORE_LOCKED while another process stores into the same file; CRY_STORE_*, CRY_SERVER_* */
async function openRepairer(name: StoreName, place: StorePlace): Promise<Repairer> {
  const unlock = name === 'sqlite' ? lockStore(place.source.folder) : () => undefined
  try {
    const sink = await openStore(name, place)
    return {
      quotes: quotes => writeAgain(sink, quotes),
      market: records => writeAgain(sink.market, records),
      close: () => sink.close().finally(unlock),
    }
  } catch (error) {
    unlock()
    throw error
  }
}
