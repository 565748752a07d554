import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { parseIso } from '../core/time.ts'
import { VirtualClock } from '../core/virtual-clock.ts'
import { startSandbox } from '../sandbox/server.ts'
import { collectOnce } from './collecting.ts'
import { loadConfig } from './config/load.ts'
import { hasData } from './has-data.ts'
import { createLog } from './log.ts'
import { settledSource } from './settled-source.ts'
import { liveSource, rememberFirstSource, rememberSource, sandboxSource, settledKind } from './source.ts'
import { openLedger } from './stores.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cryptos-settled-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const clock = new VirtualClock(parseIso('2026-11-21T12:00:30Z'))
const load = (env: Record<string, string> = {}) => loadConfig({ CRYPTOS_DATA_DIR: folder, ...env })

/** Where a command looks, and what it says about that. */
function looks(env: Record<string, string> = {}): readonly [string, readonly string[]] {
  const notes: string[] = []
  const { kind } = settledSource({ config: load(env), note: line => notes.push(line) })
  return [kind, notes]
}

async function fillSandbox(): Promise<void> {
  const sandbox = await startSandbox({ clock })
  const context = {
    config: load(),
    clock,
    log: createLog('silent', []),
    signal: new AbortController().signal,
  }
  await collectOnce(context, sandboxSource(load(), sandbox.url), { names: ['kraken'], period: 'now' })
  await sandbox.close()
}

it('says where the data are when it looks at an empty store beside a full one', async () => {
  expect(looks()).toEqual(['live', []])
  await fillSandbox()
  const live = join(folder, 'live')
  const note = `looking at ${live} (no data there yet; --source sandbox has some)`
  expect(looks()).toEqual(['live', [note]])
  // A ledger that was opened and never used is still no data.
  await (await openLedger(load(), liveSource(load()), clock)).close()
  expect(looks()).toEqual(['live', [note]])
  expect(looks({ CRYPTOS_SOURCE: 'sandbox' })).toEqual(['sandbox', []])
})

it('finds data in the outbox and the topics before anything is stored, and none in what is no database', async () => {
  await fillSandbox()
  const inside = join(folder, 'sandbox')
  expect(hasData(inside)).toBe(true)
  rmSync(join(inside, 'ledger.db'))
  expect(hasData(inside)).toBe(true)
  rmSync(join(inside, 'log.db'))
  expect(hasData(inside)).toBe(false)
  expect(hasData(join(folder, 'nowhere'))).toBe(false)
})

it('is the one that was collected first, until `up` takes another', () => {
  rememberFirstSource(load(), 'sandbox')
  expect(settledKind(load())).toBe('sandbox')
  rememberFirstSource(load(), 'live')
  expect(settledKind(load())).toBe('sandbox')
  rememberSource(load(), 'live')
  expect(settledKind(load())).toBe('live')
})

it('is the sandbox where one is set, and live with a key', () => {
  const CRYPTOS_SANDBOX_URL = 'http://127.0.0.1:9'
  expect(looks({ CRYPTOS_SANDBOX_URL })[0]).toBe('sandbox')
  expect(looks({ CRYPTOS_SANDBOX_URL, COINMARKETCAP_API_KEY: 'a-key' })[0]).toBe('live')
})
