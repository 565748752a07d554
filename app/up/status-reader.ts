import { existsSync, statfsSync, statSync } from 'node:fs'
import type { Clock } from '../../core/ports/clock.ts'
import type { Ledger } from '../../core/ports/ledger.ts'
import type { StatusReader } from '../../core/ports/reader.ts'
import { toCryptosError } from '../../core/errors.ts'
import { MINUTE, toIso } from '../../core/time.ts'
import type { Config } from '../config/load.ts'
import type { Problems } from '../pipeline/problems.ts'
import type { Source } from '../source.ts'
import { sourceViews } from '../source-views.ts'
import { storeFiles } from '../stores.ts'

const walAlarmBytes = 64 * 1_048_576
const outboxAlarmMs = 2 * MINUTE
/** With less than this the next commit may fail; the alarm ends by itself when there is room. */
const diskAlarmBytes = 1_048_576

export interface StatusPorts {
  readonly ledger: Ledger
  readonly problems: Problems
  readonly clock: Clock
  readonly config: Config
  readonly source: Pick<Source, 'kind' | 'folder'>
}

/** What the page and /health show besides prices: from the ledger, and what the pipeline's thread reports. */
export function statusReader({ ledger, problems, clock, config, source }: StatusPorts): StatusReader {
  const views = sourceViews(config, source)
  const { folder } = source
  return {
    sources: () => views,
    quota: () => ledger.status(clock.now()),
    quotaEvents: limit => ledger.events({ limit }),
    runs: limit => ledger.runs(limit),
    problems: async () => [
      ...problems.list(),
      ...(await ledgerProblems(ledger, clock)),
      ...walProblems(folder),
      ...diskProblems(folder),
    ],
  }
}

async function ledgerProblems(ledger: Ledger, clock: Clock): Promise<{ name: string; what: string }[]> {
  try {
    const scopes = await ledger.status(clock.now())
    const frozen = scopes
      .filter(s => s.frozen !== null)
      .map(s => ({ name: `quota.${s.scope}`, what: `spending is frozen: ${s.frozen}` }))
    const { pending, oldestPendingAt } = await ledger.outbox.stats()
    const waits = oldestPendingAt !== null && clock.now() - oldestPendingAt > outboxAlarmMs * 1_000
    const outbox = waits
      ? [
          {
            name: 'outbox',
            what: `${pending} answers wait to be published, the oldest since ${toIso(oldestPendingAt)}`,
          },
        ]
      : []
    return [...frozen, ...outbox]
  } catch (error) {
    return [{ name: 'ledger', what: `no call is made: ${toCryptosError(error).message}` }]
  }
}

const walProblems = (folder: string): { name: string; what: string }[] =>
  Object.entries(storeFiles(folder)).flatMap(([name, file]) => {
    const size = statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0
    return size > walAlarmBytes
      ? [
          {
            name: `wal.${name}`,
            what: `${file}-wal has ${Math.round(size / 1_048_576)} MiB: a reader holds it open`,
          },
        ]
      : []
  })

function diskProblems(folder: string): { name: string; what: string }[] {
  if (!existsSync(folder))
    return [
      { name: 'folder', what: `${folder} was moved or removed: what comes in now is lost, start again` },
    ]
  const { bavail, bsize, blocks } = statfsSync(folder)
  // Some network file systems tell nothing about their size.
  if (blocks === 0 || bavail * bsize >= diskAlarmBytes) return []
  const what = `the disk of ${folder} is full: ${Math.floor((bavail * bsize) / 1_024)} KiB are left`
  return [{ name: 'disk', what }]
}
