import { afterAll, describe, expect, it } from 'vitest'
import type { EpochMicros } from '../../core/brands.ts'
import type { Serving } from '../../core/records.ts'
import { parseIso, toIso } from '../../core/time.ts'
import { VirtualClock } from '../../core/virtual-clock.ts'
import type { FaultSpec } from '../../sandbox/faults.ts'
import { type Sandbox, type SandboxOptions, startSandbox } from '../../sandbox/server.ts'
import { type Judged, openJudged } from '../support/judged.ts'
import { servedEntries, table } from '../support/judge.ts'
import { openRig } from '../support/rig.ts'
import { scratch } from '../support/scratch.ts'

interface World {
  readonly judged: Judged
  readonly sandbox: Sandbox
  readonly clock: VirtualClock
  readonly order: readonly string[]
  /** So many minutes; `planned` = as `up` asks, else each minute. Returns who served at each of them. */
  live(minutes: number, planned?: boolean): Promise<readonly Serving[]>
  /** Who serves by the Web API, and the reasons of those before it. */
  spot(): Promise<{ readonly provider: string | null; readonly why: readonly string[] }>
}

async function inWorld(
  { order, start, ...options }: { order: readonly string[]; start: string } & Partial<SandboxOptions>,
  work: (world: World) => Promise<void>,
): Promise<void> {
  using folder = scratch('fallback')
  const clock = new VirtualClock(parseIso(start))
  const sandbox = await startSandbox({ ...options, clock })
  const env = { CRYPTOS_PROVIDERS: [...order].sort().join(), CRYPTOS_SPOT_SOURCES: order.join() }
  const rig = await openRig({
    dataDir: folder.file('data'),
    sandboxUrl: sandbox.url,
    clock,
    env: { ...env, CRYPTOS_ASSETS: 'bitcoin' },
  })
  const judged = await openJudged(rig, clock)
  const live: World['live'] = async (minutes, planned = false) => {
    const lived = new Set<EpochMicros>()
    for (let n = 0; n < minutes; n += 1)
      lived.add(await judged.turn(rig.collecting.routes.map(route => ({ route, planned }))))
    return (await judged.stored('serving')).filter(s => lived.has(s.at))
  }
  const spot: World['spot'] = async () => {
    const { spot: found } = await judged.api('/api/v1/spot', { asset: 'btc', currency: 'USD' })
    return { provider: found[0].provider, why: found[0].skipped.map((s: { why: string }) => s.why) }
  }
  try {
    await work({ judged, sandbox, clock, order, live, spot })
    // In none of all minutes anybody served silently, or what he never said.
    const all = await judged.stored('serving')
    for (const s of all) expectTold(s, order)
    await expectSaid(judged, all)
    expect((await rig.audit()).differences).toEqual([])
  } finally {
    await judged.close()
    await rig.close()
    await sandbox.close()
  }
}

/** Everyone before the one that serves is named in the order, each with the reason. */
function expectTold(s: Serving, order: readonly string[]): void {
  const before = s.provider === null ? order : order.slice(0, order.indexOf(s.provider))
  expect(
    s.skipped.map(k => k.provider),
    toIso(s.at),
  ).toEqual(before)
  for (const { why } of s.skipped) expect(why).toMatch(/^(dead|denied|insane|never had a value)/)
  expect(s.origin).toBe('sandbox')
}

async function expectSaid(judged: Judged, all: readonly Serving[]): Promise<void> {
  const said = new Set((await judged.told()).map(q => `${q.provider}|${q.price}|${q.observedAt}`))
  const served = all.filter(s => s.provider !== null)
  for (const s of served) expect(said).toContain(`${s.provider}|${s.price}|${s.observedAt}`)
}

/** Minutes of the list until it is so. */
const minutesUntil = (list: readonly Serving[], provider: string | null): number =>
  list.findIndex(s => s.provider === provider) + 1

const report: (readonly [string, number, number, string])[] = []
afterAll(() =>
  console.log(table(['fault of the first', 'minutes until the next', 'and back', 'why'], report)),
)

describe('who serves the spot price', () => {
  const order = ['coinbase', 'kraken', 'mempool', 'coinpaprika']
  const faults: readonly { name: string; spec: FaultSpec; why: RegExp }[] = [
    {
      name: 'dead',
      spec: { kind: 'server-error', charged: false },
      why: /^dead: \d+ calls in vain since .*: provider-error/,
    },
    {
      name: 'silent',
      spec: { kind: 'lost-answer' },
      why: /^dead: \d+ calls in vain since .*: transport-error/,
    },
    { name: 'busy', spec: { kind: 'rate-limited' }, why: /^dead: \d+ calls in vain since .*: rate-limited/ },
    {
      name: 'insane',
      spec: { kind: 'change-body', change: 'scaled-price', digits: 3 },
      why: /^insane: unit-jump since/,
    },
  ]

  it('is the next source within two minutes while the first is dead or insane, and the first again', async () => {
    await inWorld({ order, start: '2026-11-21T10:00:05Z' }, async ({ live, spot, sandbox }) => {
      for (const s of (await live(15, true)).slice(1)) expect(s.provider).toBe('coinbase')
      for (const { name, spec, why } of faults) {
        const id = sandbox.faults.add({ ...spec, provider: 'coinbase', times: null })
        const during = await live(8, true)
        expect(sandbox.faults.hits(id), name).toBeGreaterThan(1)
        const told = await spot()
        expect(told, name).toMatchObject({ provider: 'kraken', why: [expect.stringMatching(why)] })
        const until = minutesUntil(during, 'kraken')
        expect(until, name).toBeGreaterThan(0)
        expect(until, name).toBeLessThanOrEqual(2)
        for (const s of during.slice(until - 1)) expect(s.provider, name).toBe('kraken')
        sandbox.faults.clear()
        const after = await live(10, true)
        const back = minutesUntil(after, 'coinbase')
        expect(back, name).toBeGreaterThan(0)
        for (const s of after.slice(back - 1)) expect(s.provider, name).toBe('coinbase')
        expect(await spot(), name).toEqual({ provider: 'coinbase', why: [] })
        report.push([name, until, back, told.why.join()])
      }
    })
  })

  it('is no price a thousand times as high: neither serves it, nor moves it the consensus', async () => {
    await inWorld({ order, start: '2026-11-21T10:00:05Z' }, async ({ live, judged, sandbox }) => {
      await live(10)
      sandbox.faults.add({
        kind: 'change-body',
        change: 'scaled-price',
        digits: 3,
        provider: 'coinbase',
        times: 5,
      })
      const during = await live(5)
      const wrong = servedEntries(sandbox.meter).filter(e => e.faults.length > 0)
      expect(wrong).toHaveLength(5)
      for (const { values } of wrong) expect(Number(values[0]?.price)).toBeGreaterThan(50_000_000)
      for (const s of during) expect(Number(s.price)).toBeLessThan(100_000)
      const flags = await judged.stored('source-flag')
      expect(flags.map(f => `${f.provider} ${f.flag}`)).toEqual(Array(5).fill('coinbase unit-jump'))
      for (const c of await judged.stored('consensus')) {
        expect(Number(c.price)).toBeLessThan(100_000)
        expect(Number(c.spreadPercent)).toBeLessThan(1)
      }
    })
  })

  it('is nobody’s where all are dead: told with each reason, never a price of another making', async () => {
    await inWorld({ order, start: '2026-11-21T10:00:05Z' }, async ({ live, spot, sandbox }) => {
      await live(10)
      const id = sandbox.faults.add({ kind: 'server-error', charged: false, times: null })
      const during = await live(20)
      expect(sandbox.faults.hits(id)).toBeGreaterThan(60)
      expect(during.at(-1)).toMatchObject({ provider: null, price: null, observedAt: null })
      expect((await spot()).why).toHaveLength(4)
      sandbox.faults.clear()
      expect((await live(3)).at(-1)?.provider).toBe('coinbase')
    })
  })

  it('is the next source while the plan of the first is used up, and the first again with the new day', async () => {
    const plan = { creditsPerMonth: 10_000, creditsPerDay: 20, callsPerMinute: 30 }
    const tiny = { order: ['coinmarketcap', ...order], start: '2026-11-21T23:30:05Z', plan }
    await inWorld(tiny, async ({ live, spot, judged, sandbox }) => {
      const { ledger, routes } = judged.rig.collecting
      const route = routes.find(r => r.provider.id === 'coinmarketcap')!
      await ledger.openScope({ ...route.scope, limits: { plan: 'tiny', ...plan } }, judged.clock.now())
      const evening = await live(29)
      const calls = sandbox.meter.entries().filter(e => e.provider === 'coinmarketcap')
      const used = evening.filter(s => s.provider === 'coinmarketcap').length
      expect(calls.reduce((sum, e) => sum + e.credits, 0)).toBe(20)
      expect(sandbox.meter.violationList).toEqual([])
      expect(used).toBeGreaterThanOrEqual(20)
      expect(used).toBeLessThanOrEqual(22)
      const told = await spot()
      expect(told).toEqual({ provider: 'coinbase', why: [expect.stringMatching(/^denied since .*quota/)] })
      const night = await live(12)
      const back = minutesUntil(night, 'coinmarketcap')
      expect(back).toBeGreaterThan(0)
      expect(await spot()).toEqual({ provider: 'coinmarketcap', why: [] })
      report.push(['denied', used - 19, back, told.why.join()])
    })
  })

  it('is the next source while a person has frozen the first', async () => {
    await inWorld({ order, start: '2026-11-21T10:00:05Z' }, async ({ live, spot, judged, sandbox }) => {
      const { ledger, routes } = judged.rig.collecting
      const { scope } = routes.find(r => r.provider.id === 'coinbase')!.scope
      await live(5)
      await ledger.freeze(scope, 'by a person', judged.clock.now())
      const calls = sandbox.meter.entries().filter(e => e.provider === 'coinbase').length
      const during = await live(4)
      expect(sandbox.meter.entries().filter(e => e.provider === 'coinbase')).toHaveLength(calls)
      expect(minutesUntil(during, 'kraken')).toBeLessThanOrEqual(2)
      const told = await spot()
      expect(told.why).toEqual([expect.stringMatching(/^denied since .*by a person/)])
      await ledger.unfreeze(scope, judged.clock.now())
      const back = minutesUntil(await live(3), 'coinbase')
      expect(back).toBeGreaterThan(0)
      report.push(['frozen by a person', minutesUntil(during, 'kraken'), back, told.why.join()])
    })
  })
})
