import { openSqliteReader } from '../processors/sinks/sqlite/reader.ts'
import { openSqliteSink } from '../processors/sinks/sqlite/sink.ts'
import type { Clock } from '../core/ports/clock.ts'
import type { Source } from './source.ts'
import { prepareFolder, storeFiles } from './stores.ts'

/** Reads the store; makes an empty one first where nothing was stored yet. */
export async function openReader(source: Source, clock: Clock) {
  prepareFolder(source.folder)
  const file = storeFiles(source.folder).series
  const sink = await openSqliteSink({ file, clock })
  await sink.close()
  return await openSqliteReader({ file })
}
