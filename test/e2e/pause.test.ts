import { afterAll, describe, expect, it } from 'vitest'
import type { EpochMicros } from '../../core/brands.ts'
import type { QuotaEvent } from '../../core/records.ts'
import type { Step } from '../../core/steps.ts'
import { addMs, MINUTE, parseIso, toIso } from '../../core/time.ts'
import { reconcileUsage } from '../../collectors/usage.ts'
import { createClockFile, moveClockFile, openClockFile } from '../../sandbox/clock-file.ts'
import { type Sandbox, startSandbox } from '../../sandbox/server.ts'
import { type SweepResult, sweep } from '../../app/sweep.ts'
import {
  bound,
  ledgerScopes,
  servedEntries,
  servedPrices,
  storedPrices,
  storedQuotes,
  table,
} from '../support/judge.ts'
import { isStopped, runCryptos, startCryptos, until } from '../support/program.ts'
import { openRig, type Rig } from '../support/rig.ts'
import { scratch } from '../support/scratch.ts'

/** So little that the other collector uses all of it up while the paused one sleeps. */
const plan = { creditsPerMonth: 20, creditsPerDay: null, callsPerMinute: 5 }
const signal = new AbortController().signal
const borders = { minute: '2026-11-10T10:00:57Z', month: '2026-11-30T23:47:57Z' } as const
type Border = keyof typeof borders
/** The steps of a collector; those of the store come in a test of their own. */
const collectorSteps = ['reserve', 'sent', 'received', 'settled', 'published', 'marked'] as const
/** Of these the call is not settled yet, so that another process has to reap it. */
const unsettled: readonly Step[] = ['reserve', 'sent', 'received']

interface World {
  readonly sandbox: Sandbox
  readonly clockFile: string
  readonly rig: Rig
  readonly env: Record<string, string>
  now(): EpochMicros
  /** One call of another collector, for a slot of its own or a given one. */
  call(period?: EpochMicros): Promise<SweepResult>
  readUsage(): Promise<unknown>
  close(): Promise<void>
}

async function openWorld(path: string, start: string): Promise<World> {
  const clockFile = `${path}/clock`
  createClockFile(clockFile, parseIso(start))
  const clock = openClockFile(clockFile)
  const sandbox = await startSandbox({ clock, plan })
  const settings = {
    CRYPTOS_PROVIDERS: 'coinmarketcap',
    CRYPTOS_ASSETS: 'bitcoin,ethereum',
    CRYPTOS_OUTBOX_RETENTION_HOURS: '8000',
  }
  const dataDir = `${path}/data`
  const rig = await openRig({ dataDir, sandboxUrl: sandbox.url, clock, env: settings })
  const route = rig.collecting.routes[0]!
  // The provider's own limits are known before anything is spent.
  const readUsage = () => reconcileUsage(rig.ports, route.poll, signal)
  await readUsage()
  let calls = 0
  const call = (period?: EpochMicros): Promise<SweepResult> => {
    calls += 1
    const slot = period ?? addMs(clock.now(), -calls * 60 * MINUTE)
    const task = { route, dataset: route.provider.datasets[0]!, config: rig.config, signal }
    return sweep(rig.ports, { ...task, period: slot })
  }
  return {
    sandbox,
    clockFile,
    rig,
    env: {
      ...settings,
      CRYPTOS_DATA_DIR: dataDir,
      CRYPTOS_SOURCE: 'sandbox',
      CRYPTOS_SANDBOX_URL: sandbox.url,
      CRYPTOS_SANDBOX_CLOCK_FILE: clockFile,
    },
    now: () => clock.now(),
    call,
    readUsage,
    close: async () => {
      await rig.close()
      await sandbox.close()
    },
  }
}

const report: (readonly (string | number)[])[] = []

describe('a collector that is paused past its deadline', () => {
  afterAll(() => {
    const head = [
      'paused at',
      'over a',
      'exit',
      'outcome',
      'sent late',
      'reaped',
      'month before',
      'month after',
    ]
    console.log(table(head, report))
  })

  const cases = collectorSteps.flatMap(step =>
    (['minute', 'month'] as const).map(border => ({ step, border })),
  )
  it.concurrent.each(cases)('at $step, over a $border border', async ({ step, border }) => {
    using folder = scratch('pause')
    const world = await openWorld(folder.path, borders[border])
    try {
      await pauseAndGoOn(world, { step, border, mark: folder.file('mark') })
    } finally {
      await world.close()
    }
  })
})

describe('a store that is paused', () => {
  it.concurrent.each(['stored', 'committed'] as const)('at %s stores everything once', async step => {
    using folder = scratch('pause-store')
    const world = await openWorld(folder.path, borders.minute)
    const { rig, sandbox, clockFile } = world
    try {
      const mark = folder.file('mark')
      const env = { ...world.env, CRYPTOS_BATCH_MAX_AGE_MS: '0' }
      await world.call()
      const atStep = { AT_STEP: `${step}:1`, AT_STEP_DO: 'stop', AT_STEP_MARK: mark }
      const paused = startCryptos(['process', '--json'], { ...env, ...atStep })
      await isStopped(paused, mark)
      await world.call()
      moveClockFile(clockFile, { advanceMs: 5 * MINUTE })
      await world.call()
      // Nobody takes the store away from a process that only sleeps.
      const second = await runCryptos(['process'], env)
      expect([second.code, second.json['code']]).toEqual([2, 'CRY_STORE_LOCKED'])
      paused.child.kill('SIGCONT')
      const served = servedPrices(servedEntries(sandbox.meter))
      await until(async () => (await storedQuotes(rig.files.series)).length >= served.size)
      paused.child.kill('SIGTERM')
      expect((await paused.ended).code).toBe(0)
      await rig.drain()
      expect(storedPrices(await storedQuotes(rig.files.series))).toEqual(served)
      expect(await rig.audit()).toMatchObject({ differences: [], pending: 0 })
    } finally {
      await world.close()
    }
  })
})

interface Pause {
  readonly step: Step
  readonly border: Border
  readonly mark: string
}

async function pauseAndGoOn(world: World, { step, border, mark }: Pause): Promise<void> {
  const { sandbox, rig, env, clockFile } = world
  if (border === 'month') await spend(world, plan.creditsPerMonth - plan.callsPerMinute + 1)
  // Just read, so that the collector that is paused has its slot's call to make and no other.
  await world.readUsage()
  const started = world.now()
  const atStep = { AT_STEP: `${step}:1`, AT_STEP_DO: 'stop', AT_STEP_MARK: mark }
  const paused = startCryptos(['collect', 'coinmarketcap', '--now', '--json'], { ...env, ...atStep })
  await isStopped(paused, mark)
  const slotCallsBefore = callsOf(sandbox, started)
  // Two seconds to the border, and what is left of the minute is used up by another collector …
  while ((await world.call()).outcome === 'collected');
  moveClockFile(clockFile, { advanceMs: 4_000 })
  // … which tries at once in the new one, and again when the permit and all its margins have run out.
  await world.call()
  moveClockFile(clockFile, { advanceMs: 3 * MINUTE })
  await rig.collecting.ledger.reap(world.now())
  // The paused collector's own slot: called a second time only where nobody knows what became of the first. Who sleeps with the
  // publisher's lease keeps others from publishing until the lease runs out.
  const again = await world.call(started)
  const known = step === 'published' ? 'published' : 'already-done'
  expect(again.outcome).toBe(unsettled.includes(step) ? 'collected' : known)
  for (let tries = 0; tries < 30; tries += 1) {
    if ((await world.call()).outcome === 'collected') continue
    moveClockFile(clockFile, { advanceMs: MINUTE })
  }
  const before = { calls: sandbox.meter.entries().length, settled: monthOf(rig).settled, at: world.now() }
  const reaped = await eventsOf(rig, 'reaped')
  paused.child.kill('SIGCONT')
  const ended = await paused.ended
  await rig.drain()
  const outcome = String(
    (JSON.parse(ended.stdout.trim().split('\n').at(-1) ?? '{}') as { outcome?: string }).outcome,
  )
  const late = sandbox.meter.entries().slice(before.calls)
  report.push([
    step,
    border,
    ended.code ?? -1,
    outcome,
    late.length,
    reaped.length,
    before.settled,
    monthOf(rig).settled,
  ])
  expect(slotCallsBefore).toBe(step === 'reserve' || step === 'sent' ? 0 : 1)
  expect(late, 'calls that were sent after the pause').toEqual([])
  expectNeverOver(world, started)
  expect(reaped.map(e => e.credits)).toEqual(unsettled.includes(step) ? [1] : [])
  // Settled late: the month stays as it was, and nothing is charged for a call that was reaped before.
  expect(monthOf(rig).settled).toBe(before.settled)
  expect((await rig.audit()).differences).toEqual([])
  const stored = storedPrices(await storedQuotes(rig.files.series))
  expect(stored).toEqual(servedPrices(servedEntries(sandbox.meter)))
}

/** Twelve minutes, so that the month ends when the pause begins and what is left is less than a minute's calls. */
async function spend(world: World, credits: number): Promise<void> {
  let spent = 0
  for (let minute = 0; minute < 12; minute += 1) {
    while (spent < credits && (await world.call()).outcome === 'collected') spent += 1
    moveClockFile(world.clockFile, { advanceMs: MINUTE })
  }
  expect(spent).toBe(credits)
}

/** Calls of the paused collector: nobody else calls in its second. */
const callsOf = (sandbox: Sandbox, at: EpochMicros): number =>
  sandbox.meter.entries().filter(e => e.at === at && e.endpoint.includes('quotes')).length

const monthOf = (rig: Rig) => ledgerScopes(rig.files.ledger).find(s => s.provider === 'coinmarketcap')!.month

async function eventsOf(rig: Rig, what: QuotaEvent['what']): Promise<readonly QuotaEvent[]> {
  const events = await rig.collecting.ledger.events({ limit: 1_000 })
  return events.filter(e => e.what === what)
}

function expectNeverOver({ sandbox, rig, now }: World, started: EpochMicros): void {
  const key = sandbox.meter.scopes().find(s => s.provider === 'coinmarketcap')!
  expect(sandbox.meter.violationList).toEqual([])
  expect(key.busiestMinute!.calls).toBeLessThanOrEqual(plan.callsPerMinute)
  for (const month of key.months)
    expect(month.credits, toIso(month.start)).toBeLessThanOrEqual(plan.creditsPerMonth)
  // The demand was there: the month that the pause began in is used up, but for what the paused call still holds.
  const first = key.months.find(m => m.start <= started && started < m.resetsAt)
  expect(first!.credits).toBeGreaterThanOrEqual(plan.creditsPerMonth - 1)
  const state = ledgerScopes(rig.files.ledger).find(s => s.provider === 'coinmarketcap')!
  const { ours, theirs } = bound(state, sandbox.meter, now(), 'month')
  expect(ours).toBeGreaterThanOrEqual(theirs)
}
