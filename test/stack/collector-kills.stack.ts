import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openCollecting } from '../../app/collecting.ts'
import { loadConfig } from '../../app/config/load.ts'
import { createLog } from '../../app/log.ts'
import { sandboxSource } from '../../app/source.ts'
import type { Step } from '../../core/steps.ts'
import { addMs, MINUTE, SECOND, toIso } from '../../core/time.ts'
import { createClockFile, moveClockFile, openClockFile } from '../../sandbox/clock-file.ts'
import { type Sandbox, startSandbox } from '../../sandbox/server.ts'
import { runCryptos, startCryptos } from '../support/program.ts'
import { scratch } from '../support/scratch.ts'
import { yesterdayNoon } from '../support/yesterday.ts'
import { killServer, restartServer, uniqueName } from './servers.ts'
import { expectAllStored } from './support/all-stored.ts'
import { end, fullEnv, spoolOf } from './support/world.ts'

/** Of each step; `npm run test:soak` has the hundreds. */
const killsPerStep = Math.max(2, Math.round(Number(process.env['CRYPTOS_KILLS'] ?? 20) / 6))
const steps: readonly Step[] = ['reserve', 'sent', 'received', 'settled', 'published', 'marked']
const start = addMs(yesterdayNoon, 5 * SECOND)

describe('a collector with its ledger in PostgreSQL and its topics in Kafka', () => {
  const folder = scratch('collector')
  const [clockFile, sentFile, settledFile] = ['clock', 'sent', 'settled'].map(name => folder.file(name))
  let sandbox: Sandbox
  let env: Record<string, string>
  let minute = 0

  beforeAll(async () => {
    createClockFile(clockFile ?? '', start)
    const plan = { creditsPerMonth: 1_000, callsPerMinute: 30 }
    sandbox = await startSandbox({ clock: openClockFile(clockFile ?? ''), plan })
    env = {
      ...fullEnv(uniqueName('kills'), folder.file('data')),
      CRYPTOS_SANDBOX_URL: sandbox.url,
      CRYPTOS_SANDBOX_CLOCK_FILE: clockFile ?? '',
      CRYPTOS_ASSETS: 'bitcoin,ethereum',
      CRYPTOS_PROVIDERS: 'coinmarketcap',
      AT_STEP_SENT: sentFile ?? '',
      AT_STEP_SETTLED: settledFile ?? '',
    }
    expect((await runCryptos(['quota', 'reconcile'], env)).code).toBe(0)
  })
  afterAll(async () => {
    await sandbox.close()
    folder[Symbol.dispose]()
  })

  const slotNow = (): string => toIso(addMs(start, minute * MINUTE))
  const nextMinute = (): void => {
    minute += 1
    moveClockFile(clockFile ?? '', { advanceMs: MINUTE })
  }
  const linesOf = (file: string | undefined): readonly string[] =>
    file !== undefined && existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
  const collect = (more: Record<string, string> = {}) =>
    startCryptos(['collect', 'coinmarketcap', '--slot', slotNow(), '--json'], { ...env, ...more })

  /** The provider refused nothing, no limit was passed, and the ledger knows of every credit. */
  async function expectNothingOverspent(): Promise<{ readonly ours: number; readonly theirs: number }> {
    expect(sandbox.meter.violationList).toEqual([])
    const theirs = sandbox.meter
      .scopes()
      .filter(s => s.provider === 'coinmarketcap')
      .flatMap(s => s.months)
      .reduce((sum, month) => sum + month.credits, 0)
    const { json } = await runCryptos(['quota', 'status'], env)
    const scopes = json['scopes'] as {
      provider: string
      windows: { window: string; used: number; reserved: number }[]
    }[]
    const ours = scopes
      .filter(s => s.provider === 'coinmarketcap')
      .flatMap(s => s.windows.filter(w => w.window === 'month'))
      .reduce((sum, w) => sum + w.used + w.reserved, 0)
    expect(ours).toBeGreaterThanOrEqual(theirs)
    return { ours, theirs }
  }

  /** Returns how many answers are stored. */
  async function storeAll(): Promise<number> {
    const { CRYPTOS_SANDBOX_CLOCK_FILE: _, ...realTime } = env
    const storing = startCryptos(['process', '--no-judge'], realTime)
    const audit = await expectAllStored(env, storing)
    await end(storing)
    return Number(audit['answers'])
  }

  it(`dies ${killsPerStep} times at each of ${steps.length} steps, and nothing is lost, doubled or overspent`, async () => {
    const kills: Record<string, number> = {}
    for (let i = 0; i < killsPerStep * steps.length; i += 1) {
      const step = steps[i % steps.length] ?? 'reserve'
      const { signal, stdout, stderr } = await collect({ AT_STEP: `${step}:1` }).ended
      expect(signal, `${step}: ${stdout} ${stderr}`).toBe('SIGKILL')
      kills[step] = (kills[step] ?? 0) + 1
      // The slot again, as a scheduler does, in the same minute or in the next.
      if (i % 2 === 0) await collect().ended
      nextMinute()
      const again = await collect().ended
      expect([0, 1, 99], again.stderr).toContain(again.code)
      nextMinute()
      await expectNothingOverspent()
    }
    expect((await runCryptos(['publish'], env)).code).toBe(0)
    const settled = new Set(linesOf(settledFile).map(line => line.split(' ')[1]))
    const calls = new Map<string, number>()
    for (const line of linesOf(sentFile)) {
      const slot = line.split(' ')[1] ?? ''
      if (slot !== '') calls.set(slot, (calls.get(slot) ?? 0) + 1)
    }
    const { ours, theirs } = await expectNothingOverspent()
    const answers = await storeAll()
    console.log(
      `kills -9 by step: ${JSON.stringify(kills)}; ${calls.size} slots called, ${settled.size} settled, ${answers} answers in all places; the provider counted ${theirs} credits, the ledger ${ours}`,
    )
    expect(Math.max(...calls.values())).toBeLessThanOrEqual(2)
    expect(answers).toBeGreaterThanOrEqual(settled.size)
  })

  it('lets the next publisher begin at once when it is told to end while it begins to publish', async () => {
    nextMinute()
    expect((await collect({ AT_STEP: 'settled:1' }).ended).signal).toBe('SIGKILL')
    const config = loadConfig(env)
    const ending = new AbortController()
    const context = {
      ...{ config, clock: openClockFile(clockFile ?? ''), log: createLog('silent', []) },
      signal: ending.signal,
    }
    const collecting = await openCollecting(context, sandboxSource(config, sandbox.url), ['coinmarketcap'])
    await collecting.broker()
    ending.abort()
    const told = collecting.ports.publish?.().catch((error: unknown) => error)
    await collecting.close()
    expect(await told).toBe(ending.signal.reason)
    // The clock stands still: a lease that is left would never end.
    const { code, stdout } = await runCryptos(['publish'], env)
    expect(code, stdout).toBe(0)
    nextMinute()
    await expectNothingOverspent()
  })

  it('keeps an answer that was paid for while the ledger is killed between the call and its settlement', async () => {
    sandbox.faults.add({ kind: 'delay', ms: 3_000, provider: 'coinmarketcap' })
    const before = linesOf(sentFile).length
    const collecting = collect()
    while (linesOf(sentFile).length === before) await sleep(10)
    await killServer('postgres')
    const { code, stdout } = await collecting.ended
    const spool = spoolOf(folder.path)
    const waiting = existsSync(spool) ? readdirSync(spool).filter(name => !name.startsWith('.')) : []
    console.log(
      `PostgreSQL killed under way: exit ${code}, ${waiting.length} answer in the spool: ${stdout.trim()}`,
    )
    expect(waiting.length).toBeGreaterThan(0)
    sandbox.faults.clear()
    expect((await runCryptos(['collect', 'coinmarketcap', '--slot', slotNow()], env)).json).toMatchObject({
      outcome: 'ledger-unavailable',
    })
    await restartServer('postgres')
    expect((await runCryptos(['publish'], env)).code).toBe(0)
    expect((await collect().ended).code).toBe(99)
    await expectNothingOverspent()
    await storeAll()
  })
})
