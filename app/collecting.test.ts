import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { parseIso } from '../core/time.ts'
import { VirtualClock } from '../core/virtual-clock.ts'
import { startSandbox } from '../sandbox/server.ts'
import { collectOnce } from './collecting.ts'
import { loadConfig } from './config/load.ts'
import { createLog } from './log.ts'
import { sandboxSource } from './source.ts'

const folder = mkdtempSync(join(tmpdir(), 'cryptos-collecting-'))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

it('reads the usage before a sweep where rules 5-7 want it, and comes out of a used-up month by itself', async () => {
  const clock = new VirtualClock(parseIso('2026-11-20T12:00:30Z'))
  const plan = { creditsPerMonth: 3, creditsPerDay: null, callsPerMinute: 10 }
  const sandbox = await startSandbox({ clock, plan })
  const config = loadConfig({
    ...{ CRYPTOS_DATA_DIR: folder, CRYPTOS_SOURCE: 'sandbox', CRYPTOS_ASSETS: 'bitcoin' },
  })
  const context = { config, clock, log: createLog('silent', []), signal: new AbortController().signal }
  const asked = () => sandbox.meter.entries().map(e => (e.endpoint.includes('key') ? 'usage' : 'quotes'))
  const collect = async () => {
    const before = asked().length
    const source = sandboxSource(config, sandbox.url)
    const [result] = await collectOnce(context, source, { names: ['coinmarketcap'], period: 'now' })
    clock.advance(61_000)
    return [result?.outcome, ...asked().slice(before)]
  }
  expect(await collect()).toEqual(['collected', 'usage', 'quotes'])
  expect(await collect()).toEqual(['collected', 'quotes'])
  expect(await collect()).toEqual(['collected', 'quotes'])
  // No credit is left: once the figure may be new it is asked for, and the limit that was never passed is kept.
  expect(await collect()).toEqual(['denied-by-quota', 'usage'])
  expect(await collect()).toEqual(['denied-by-quota'])
  clock.advance(12 * 24 * 3_600_000)
  // The agreement of twelve days ago is good enough: three credits, of which none is called for in vain.
  expect(await collect()).toEqual(['collected', 'usage', 'quotes'])
  expect(sandbox.meter.violations).toBe(0)
  await sandbox.close()
})
