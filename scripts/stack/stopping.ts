import { CryptosError } from '../../core/errors.ts'
import { serverNamed } from './members.ts'
import { stopProcess } from './processes.ts'
import type { ServerRecord } from './state.ts'
import { removeRecord } from './state.ts'

/** Ends one server; true once it is gone. */
export type Stop = (record: ServerRecord) => Promise<boolean>

export const stopServer = (folder: string, record: ServerRecord, patienceMs?: number): Promise<boolean> =>
  stopProcess(record, serverNamed(folder, record.name).stopSignal, patienceMs)

export const stillRuns = (records: readonly ServerRecord[]): CryptosError =>
  new CryptosError(
    'CRY_SERVER_BUSY',
    `${records.map(r => `${r.name} (pid ${r.pid})`).join(', ')} did not end, not even by SIGKILL: try once more, or look at it with ps`,
  )

/** Ends these servers and forgets those that are gone. @throws CryptosError CRY_SERVER_BUSY that names those that are not */
export async function stopAll(folder: string, records: readonly ServerRecord[], stop: Stop): Promise<void> {
  const left: ServerRecord[] = []
  await Promise.all(
    records.map(async record => {
      if (await stop(record)) removeRecord(folder, record.name)
      else left.push(record)
    }),
  )
  if (left.length > 0) throw stillRuns(left)
}
