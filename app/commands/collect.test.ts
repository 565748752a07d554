import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterAll, expect, it } from 'vitest'
import { parseIso } from '../../core/time.ts'
import { VirtualClock } from '../../core/virtual-clock.ts'
import { loadConfig } from '../config/load.ts'
import { createLog } from '../log.ts'
import { define } from './collect.ts'
import type { Action } from './command.ts'

const folder = mkdtempSync(join(tmpdir(), 'cryptos-collect-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let collect: Action | undefined
define(new Command(), action => {
  collect = action
  return async () => undefined
})

it('refuses a slot that is still to come, and takes the current one from a clock a little ahead', async () => {
  const clock = new VirtualClock(parseIso('2026-11-21T12:00:58Z'))
  // Nobody listens there: what is not refused fails in its own way.
  const config = loadConfig({
    CRYPTOS_DATA_DIR: folder,
    CRYPTOS_SOURCE: 'sandbox',
    CRYPTOS_SANDBOX_URL: 'http://127.0.0.1:9',
  })
  const log = createLog('silent', [])
  const context = {
    ...{ config, clock, log, signal: new AbortController().signal, json: true, print: () => undefined },
    ...{ note: () => undefined, problems: [] },
  }
  const ask = (slot: string) => collect?.(context, ['coinmarketcap'], { slot })
  for (const slot of ['2030-01-01T00:00:00Z', '2026-11-21T12:02:00Z'])
    await expect(ask(slot), slot).rejects.toMatchObject({ code: 'CRY_USAGE' })
  const current = await ask('2026-11-21T12:01:00Z')
  expect(current?.json).toMatchObject({ outcome: 'transport-error' })
})
