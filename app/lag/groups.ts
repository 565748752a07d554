import { DAY } from '../../core/time.ts'
import { marketTopics } from '../../topics/messages.ts'
import type { TopicId } from '../../topics/table.ts'
import type { Config } from '../config/load.ts'
import type { StoreName } from '../config/parts.ts'
import { groupOf, topics } from '../stores.ts'
import type { WatchedGroup } from './lag-watch.ts'

const stored: readonly TopicId[] = ['quotes', ...marketTopics]

const topicsOf = (store: StoreName): readonly TopicId[] =>
  store === 'cassandra' ? [...stored, 'quotaEvents'] : stored

/** The groups of these stores: of each topic that the store takes. */
export const watchedGroups = (
  config: Pick<Config, 'quotesRetentionDays'>,
  stores: readonly StoreName[],
): readonly WatchedGroup[] =>
  stores.flatMap(store =>
    topicsOf(store).map(id => ({
      group: groupOf(id, store),
      topic: topics[id].name,
      retentionMs: stored.includes(id) ? config.quotesRetentionDays * DAY : topics[id].retentionMs,
    })),
  )
