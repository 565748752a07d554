import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { parseIso } from '../core/time.ts'
import { VirtualClock } from '../core/virtual-clock.ts'
import { startSandbox } from '../sandbox/server.ts'
import type { Outcome } from '../core/outcomes.ts'
import { outcomes } from '../core/outcomes.ts'
import type { PageResult } from '../collectors/poll-types.ts'
import { createLog } from './log.ts'
import { collectOnce, openCollecting } from './collecting.ts'
import { loadConfig } from './config/load.ts'
import { sandboxSource } from './source.ts'
import { topics } from './stores.ts'
import { outcomeOrder, sweep, worst } from './sweep.ts'
import { wantedAssets } from './wanted.ts'

const page = (outcome: Outcome): PageResult =>
  ({ slot: 's', outcome, reason: `because ${outcome}`, runId: 'r', credits: 0, records: 0 }) as PageResult

describe('the one outcome of a sweep', () => {
  it('ranks every outcome of the closed list, once', () => {
    expect(new Set<string>(outcomeOrder)).toEqual(new Set(Object.keys(outcomes)))
    expect(outcomeOrder).toHaveLength(Object.keys(outcomes).length)
  })
  it('is the worst of its pages, whatever their order, and says of how many', () => {
    for (const [rank, bad] of outcomeOrder.entries())
      for (const good of outcomeOrder.slice(rank + 1)) {
        const reason = `because ${bad} (1 of 2 pages)`
        expect(worst([page(good), page(bad)])).toEqual({ outcome: bad, reason })
        expect(worst([page(bad), page(good)])).toEqual({ outcome: bad, reason })
      }
  })
  it('keeps what a person must mend above what time mends, and both above what went well', () => {
    const rank = (outcome: Outcome): number => outcomeOrder.indexOf(outcome)
    const exits = (exit: number): number[] =>
      (Object.keys(outcomes) as Outcome[]).filter(o => outcomes[o].exit === exit).map(rank)
    expect(Math.max(...exits(2))).toBeLessThan(Math.min(...exits(1)))
    expect(Math.max(...exits(1))).toBeLessThan(Math.min(...exits(0)))
  })
  it('is its only page, word for word', () => {
    expect(worst([page('collected')])).toEqual({ outcome: 'collected', reason: 'because collected' })
    expect(worst([]).outcome).toBe('source-disabled')
  })
})

describe('a sweep that is not due', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cryptos-sweep-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('says that spending is frozen, where it is: no waiting ends that', async () => {
    const clock = new VirtualClock(parseIso('2026-11-21T12:00:30Z'))
    const sandbox = await startSandbox({ clock })
    const config = loadConfig({ CRYPTOS_DATA_DIR: folder, CRYPTOS_SOURCE: 'sandbox' })
    const context = { config, clock, log: createLog('silent', []), signal: new AbortController().signal }
    const source = sandboxSource(config, sandbox.url)
    const collect = async (when: { period?: 'now' } = {}) =>
      (await collectOnce(context, source, { names: ['kraken'], ...when }))[0]
    expect((await collect({ period: 'now' }))?.outcome).toBe('collected')
    expect((await collect())?.outcome).toBe('not-due')
    const { ledger, close, broker, ports, routes } = await openCollecting(context, source, ['kraken'])
    await ledger.freeze(null, 'bill not paid', clock.now())
    expect(await collect()).toMatchObject({ outcome: 'frozen', reason: 'bill not paid', pages: [] })
    // What would have come is told as denied, once for a sweep, however often it is asked.
    const route = routes[0]!
    const task = { ...context, route, dataset: route.provider.datasets[0]! }
    const gaps = async () =>
      await Array.fromAsync((await broker()).read(topics.sourceEvents.name, { offset: 0 }))
    const [before, kraken] = [(await gaps()).length, wantedAssets(route, task.dataset, config).length]
    expect(before).toBe(kraken)
    for (let times = 0; times < 3; times += 1) await sweep(ports, task)
    expect((await gaps()).length).toBe(before + kraken)
    expect(new TextDecoder().decode((await gaps())[0]?.value ?? undefined)).toContain('bill not paid')
    await ledger.unfreeze(null, clock.now())
    expect((await collect())?.outcome).toBe('not-due')
    await close()
    await sandbox.close()
  })
  it('says until when the provider wants to be left alone, where that is later than the plan', async () => {
    const clock = new VirtualClock(parseIso('2026-11-22T12:00:30Z'))
    const faults = [{ kind: 'rate-limited', provider: 'kraken', retryAfterSeconds: 7_200 } as const]
    const sandbox = await startSandbox({ clock, faults })
    const config = loadConfig({ CRYPTOS_DATA_DIR: join(folder, 'paused'), CRYPTOS_SOURCE: 'sandbox' })
    const context = { config, clock, log: createLog('silent', []), signal: new AbortController().signal }
    const source = sandboxSource(config, sandbox.url)
    const collect = async () => (await collectOnce(context, source, { names: ['kraken'] }))[0]
    const refused = await collect()
    const until = parseIso('2026-11-22T14:00:30Z')
    expect(refused).toMatchObject({ outcome: 'rate-limited', retryAt: until })
    for (const waitMs of [0, 60_000, 3_600_000]) {
      clock.advance(waitMs)
      expect(await collect()).toMatchObject({ outcome: 'denied-by-quota', retryAt: until })
    }
    clock.advance(3_540_000)
    expect((await collect())?.outcome).toBe('collected')
    expect((await collect())?.outcome).toBe('not-due')
    expect(sandbox.meter.entries()).toHaveLength(2)
    await sandbox.close()
  })
  it('tells the code of what kept an answer from coming', () => {
    const lost = { ...page('transport-error'), code: 'CRY_HTTP_NETWORK' as const }
    expect(worst([page('collected'), lost])).toMatchObject({ code: 'CRY_HTTP_NETWORK' })
  })
})
