import { CryptosError } from '../../core/errors.ts'
import { stopFamily } from './family.ts'
import { serverNamed } from './members.ts'
import { stopProcess } from './processes.ts'
import type { ServerRecord } from './state.ts'
import { removeRecord } from './state.ts'

/** Ends one server; true once it is gone. */
export type Stop = (record: ServerRecord) => Promise<boolean>

export function stopServer(folder: string, record: ServerRecord, patienceMs?: number): Promise<boolean> {
  const { mark, stopSignal } = serverNamed(folder, record.name)
  return mark === undefined
    ? stopProcess(record, stopSignal, patienceMs)
    : stopFamily(record, mark, patienceMs)
}

/** What runs on others is stopped before them: Airflow's tasks report to its API, and all of it to PostgreSQL. */
export function stopStages(records: readonly ServerRecord[]): ServerRecord[][] {
  const stage = ({ kind, name }: ServerRecord): number =>
    kind !== 'airflow' ? 2 : name === 'airflow-api' ? 1 : 0
  return [0, 1, 2].map(wanted => records.filter(record => stage(record) === wanted))
}

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
