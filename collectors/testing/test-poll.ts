import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Ledger } from '../../core/ports/ledger.ts'
import { parseIso } from '../../core/time.ts'
import { VirtualClock } from '../../core/virtual-clock.ts'
import { openSqliteLedger } from '../../quota/ledgers/sqlite.ts'
import { createHttpClient, type HttpClient } from '../http.ts'
import type { Pace } from '../pace.ts'
import type { PollPorts, Source } from '../poll-types.ts'
import { sourceOf } from '../source.ts'
import type { Provider } from '../provider.ts'

/** For tests: no queue. */
export const noPace: Pace = { schedule: (_, work) => work(), close: () => Promise.resolve() }

export interface TestPoll extends AsyncDisposable {
  readonly clock: VirtualClock
  readonly ledger: Ledger
  readonly http: HttpClient
  readonly ports: PollPorts
  /** Where the ledger lies. */
  readonly folder: string
  /** Opens the scope as a collector would. */
  source(provider: Provider, baseUrl: string, key?: string): Promise<Source>
}

/** For tests: a real ledger in a folder of its own, a real HTTP client, a virtual clock; ids are `id-1`, `id-2` … */
export async function openTestPoll(sandboxOrigin: string, clock?: VirtualClock): Promise<TestPoll> {
  const folder = mkdtempSync(join(tmpdir(), 'cryptos-poll-'))
  const time = clock ?? new VirtualClock(parseIso('2026-11-21T12:00:30Z'))
  const ledger = await openSqliteLedger({ file: join(folder, 'ledger.db'), clock: time })
  const http = createHttpClient({ clock: time, allowedHosts: [], sandboxOrigin, maxBytes: 1_000_000 })
  let ids = 0
  const newId = (): string => {
    ids += 1
    return `id-${ids}`
  }
  return {
    ...{ clock: time, ledger, http, folder },
    ports: { ledger, http, clock: time, pace: noPace, newId, deadlineMs: 2_000 },
    async source(provider, baseUrl, key) {
      const made = sourceOf(provider, { sandboxBaseUrl: baseUrl, ...(key === undefined ? {} : { key }) })
      await ledger.openScope(made.spec, time.now())
      return made.source
    },
    async [Symbol.asyncDispose]() {
      http.close()
      await ledger.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
