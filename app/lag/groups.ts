import { DAY } from '../../core/time.ts'
import { marketTopics } from '../../topics/messages.ts'
import type { TopicId } from '../../topics/table.ts'
import type { Config } from '../config/load.ts'
import { partsOf } from '../config/parts.ts'
import { groupOf, topics } from '../stores.ts'
import type { WatchedGroup } from './lag-watch.ts'

const stored: readonly TopicId[] = ['quotes', ...marketTopics]

/** The groups of every store that this installation writes to. */
export const watchedGroups = (config: Config): readonly WatchedGroup[] =>
  partsOf(config).stores.flatMap(store =>
    stored.map(id => ({
      group: groupOf(id, store),
      topic: topics[id].name,
      retentionMs: config.quotesRetentionDays * DAY,
    })),
  )
