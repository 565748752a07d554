import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { CryptosError } from '../../core/errors.ts'
import type { Ledger } from '../../core/ports/ledger.ts'
import { fromEpochMs } from '../../core/time.ts'
import { VirtualClock } from '../../core/virtual-clock.ts'
import { loadConfig } from '../config/load.ts'
import { Problems } from '../pipeline/problems.ts'
import { statusReader } from './status-reader.ts'

it('names what is wrong now: the pipeline, a freeze, the ledger, a folder that is gone; and nothing after it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cryptos-status-'))
  let frozen: string | null = null
  let ill = false
  const ledger = {
    status: async () => {
      if (ill) throw new CryptosError('CRY_STORE_BUSY', 'it is being written')
      return [{ scope: 's', frozen }]
    },
    outbox: { stats: async () => ({ pending: 0, oldestPendingAt: null }) },
  } as unknown as Ledger
  const problems = new Problems()
  const reader = statusReader({
    ...{ ledger, problems, clock: new VirtualClock(fromEpochMs(0)) },
    ...{ config: loadConfig({}), source: { kind: 'live', folder } },
  })
  const names = async (): Promise<string[]> => (await reader.problems()).map(p => p.name)
  expect(await names()).toEqual([])
  frozen = 'by hand'
  problems.set('collect.kraken.quotes', 'transport-error: no answer')
  expect(await names()).toEqual(['collect.kraken.quotes', 'quota.s'])
  ill = true
  expect(await names()).toEqual(['collect.kraken.quotes', 'ledger'])
  ill = false
  frozen = null
  problems.set('collect.kraken.quotes', null)
  expect(await names()).toEqual([])
  rmSync(folder, { recursive: true })
  expect(await names()).toEqual(['folder'])
})
