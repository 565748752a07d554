import { DAY } from '../../core/time.ts'
import { marketTopics } from '../../topics/messages.ts'
import type { TopicId } from '../../topics/table.ts'
import type { Config } from '../config/load.ts'
import type { StoreName } from '../config/parts.ts'
import { groupOf, topics } from '../stores.ts'
import type { WatchedGroup } from './lag-watch.ts'

const stored: readonly TopicId[] = ['quotes', ...marketTopics]

/** The groups of these stores. */
export const watchedGroups = (
  config: Pick<Config, 'quotesRetentionDays'>,
  stores: readonly StoreName[],
): readonly WatchedGroup[] =>
  stores.flatMap(store =>
    stored.map(id => ({
      group: groupOf(id, store),
      topic: topics[id].name,
      retentionMs: config.quotesRetentionDays * DAY,
    })),
  )
