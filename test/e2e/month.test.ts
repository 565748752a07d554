import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, it } from 'vitest'
import type { EpochMicros } from '../../core/brands.ts'
import type { Clock } from '../../core/ports/clock.ts'
import { addMs, DAY, HOUR, MINUTE, parseIso, SECOND, toIso } from '../../core/time.ts'
import { VirtualClock } from '../../core/virtual-clock.ts'
import { reconcileUsage } from '../../collectors/usage.ts'
import { reconcileDue } from '../../quota/reconcile.ts'
import type { FaultSpec } from '../../sandbox/faults.ts'
import type { MeterEntry } from '../../sandbox/meter.ts'
import { type Sandbox, startSandbox } from '../../sandbox/server.ts'
import { sweep } from '../../app/sweep.ts'
import {
  bound,
  ledgerReader,
  servedEntries,
  servedPrices,
  storedPrices,
  storedQuotes,
} from '../support/judge.ts'
import { seededRandom } from '../support/random.ts'
import { openRig, type Rig } from '../support/rig.ts'
import { scratch } from '../support/scratch.ts'

const plan = { creditsPerMonth: 1_500, creditsPerDay: null, callsPerMinute: 5 }
const start = parseIso('2026-11-01T00:00:00Z')
const monthEnd = parseIso('2026-12-01T00:00:00Z')
const signal = new AbortController().signal

/** The provider's clock: up to two seconds before or behind ours, slowly changing. */
const skewed = (clock: Clock): Clock => ({
  now: () => addMs(clock.now(), Math.round(2_000 * Math.sin(clock.now() / 1_000 / (7 * HOUR)))),
  monotonicMs: () => clock.monotonicMs(),
  sleep: (ms, abort) => clock.sleep(ms, abort),
})

const kinds: readonly FaultSpec[] = [
  { kind: 'server-error', charged: true },
  { kind: 'server-error', charged: false },
  { kind: 'lost-answer' },
  { kind: 'cut-body', bytes: 100 },
  { kind: 'rate-limited' },
  { kind: 'rate-limited', retryAfterSeconds: 120 },
  { kind: 'html', charged: true },
]

describe('a month of a small plan', () => {
  it('uses it up, never passes it, and stores what was served', async () => {
    using folder = scratch('month')
    const clock = new VirtualClock(start)
    const sandbox = await startSandbox({ clock: skewed(clock), plan })
    const rig = await openRig({
      dataDir: folder.file('data'),
      sandboxUrl: sandbox.url,
      clock,
      env: { CRYPTOS_PROVIDERS: 'coinmarketcap', CRYPTOS_ASSETS: 'bitcoin,ethereum,dogecoin' },
    })
    const month = new Month(rig, sandbox, clock)
    try {
      await month.live()
      await month.judge()
    } finally {
      month.dispose()
      await rig.close()
      await sandbox.close()
    }
  })
})

/** Lives through the month as a collector does that is asked every few minutes, with an impatient person and a scheduler beside it. */
class Month {
  readonly #rig: Rig
  readonly #sandbox: Sandbox
  readonly #clock: VirtualClock
  readonly #random = seededRandom(7)
  readonly #scopes: ReturnType<typeof ledgerReader>
  readonly #outcomes = new Map<string, number>()
  #foreignSeen = 0
  #checks = 0
  #least = Number.POSITIVE_INFINITY
  constructor(rig: Rig, sandbox: Sandbox, clock: VirtualClock) {
    this.#rig = rig
    this.#sandbox = sandbox
    this.#clock = clock
    this.#scopes = ledgerReader(rig.files.ledger)
    subscribe('cryptos:step', this.#check)
  }

  dispose(): void {
    unsubscribe('cryptos:step', this.#check)
    this.#scopes.close()
  }

  /** P3 at every step of every call: nothing that the provider has charged is missing in the ledger, but what another program spent
   * since its figure was last read. */
  readonly #check = (): void => {
    const [state] = this.#scopes.read()
    if (!state) return
    const foreign = this.#foreign() - this.#foreignSeen
    const at = this.#providerNow()
    if (at < state.month.startsAt || at >= state.month.resetsAt) return
    const { ours, theirs } = bound(state, this.#sandbox.meter, at, 'month')
    this.#checks += 1
    this.#least = Math.min(this.#least, ours - (theirs - foreign))
  }

  #providerNow = (): EpochMicros => skewed(this.#clock).now()
  #foreign = (): number =>
    this.#sandbox.meter.scopes().find(s => s.provider === 'coinmarketcap')?.foreignCredits ?? 0

  async live(): Promise<void> {
    const { ledger, routes } = this.#rig.collecting
    const spec = { ...routes[0]!.scope, limits: { plan: 'of the sandbox', ...plan } }
    await ledger.openScope(spec, this.#clock.now())
    let nextBurstAt = addMs(start, 20 * HOUR)
    while (this.#clock.now() < addMs(monthEnd, 2 * HOUR)) {
      this.#breakSomething()
      await this.#rig.collecting.ledger.reap(this.#clock.now())
      await this.#reconcile()
      const waitMs = await this.#sweepIfDue()
      if (this.#clock.now() >= nextBurstAt) {
        await this.#burst()
        nextBurstAt = addMs(nextBurstAt, DAY)
      }
      this.#clock.advance(Math.max(SECOND, Math.min(waitMs, HOUR)))
    }
  }

  /** One call in twenty meets a fault; another program uses the key now and then until the 27th. */
  #breakSomething(): void {
    if (this.#random() > 0.06) return
    const fault = kinds[Math.floor(this.#random() * kinds.length)]!
    this.#sandbox.faults.add({ ...fault, endpoint: 'quotes' })
    if (this.#random() < 0.3 && this.#clock.now() < addMs(start, 26 * DAY))
      this.#sandbox.faults.add({ kind: 'foreign-use', credits: 3 })
  }

  async #reconcile(): Promise<void> {
    const { ledger, routes } = this.#rig.collecting
    const now = this.#clock.now()
    const [status] = await ledger.status(now)
    const every = { everyMs: 3 * HOUR }
    if (reconcileDue({ now, hasUsage: true, status, ...every }) === null) return
    const { kind } = await reconcileUsage(this.#rig.ports, routes[0]!.poll, signal)
    if (kind === 'reconciled') this.#foreignSeen = this.#foreign()
    this.#count(`usage ${kind}`)
  }

  async #sweepIfDue(): Promise<number> {
    const result = await this.#sweep()
    return result.retryAt === undefined ? MINUTE : (result.retryAt - this.#clock.now()) / 1_000
  }

  /** Somebody wants twelve slots at once, three seconds before a minute ends and again right after. */
  async #burst(): Promise<void> {
    const intoMinuteMs = (this.#clock.now() / 1_000) % MINUTE
    this.#clock.advance((2 * MINUTE - intoMinuteMs - 3 * SECOND) % MINUTE)
    for (const pauseMs of [4 * SECOND, 30 * SECOND]) {
      const slots = Array.from({ length: 6 }, (_, i) => addMs(this.#clock.now(), -(i + 1) * MINUTE))
      await Promise.all(slots.map(period => this.#sweep(period)))
      this.#clock.advance(pauseMs)
    }
  }

  async #sweep(period?: EpochMicros): ReturnType<typeof sweep> {
    const route = this.#rig.collecting.routes[0]!
    const dataset = route.provider.datasets[0]!
    const task = { route, dataset, config: this.#rig.config, signal }
    const result = await sweep(this.#rig.ports, { ...task, ...(period === undefined ? {} : { period }) })
    this.#count(result.outcome)
    return result
  }

  #count(what: string): void {
    this.#outcomes.set(what, (this.#outcomes.get(what) ?? 0) + 1)
  }

  async judge(): Promise<void> {
    const { meter, faults } = this.#sandbox
    const key = meter.scopes().find(s => s.provider === 'coinmarketcap')!
    const november = key.months.find(m => m.start === start)!
    await this.#rig.drain()
    const report = await this.#rig.audit()
    const december = key.months.find(m => m.start === monthEnd)
    const stored = storedPrices(await storedQuotes(this.#rig.files.series))
    const share = (100 * november.credits) / plan.creditsPerMonth
    console.log(
      [
        `used ${november.credits} of ${november.limit} credits (${share.toFixed(2)} %), ${key.foreignCredits} of them by another program`,
        `used in the first two hours of the next month: ${december?.credits ?? 0}`,
        `busiest minute: ${key.busiestMinute?.calls} of ${key.busiestMinute?.limit} calls; violations: ${meter.violations}`,
        `the ledger's bound at ${this.#checks} steps: never less than ${this.#least} above the provider's figure`,
        `outcomes: ${[...this.#outcomes].map(([name, n]) => `${name} ${n}`).join(', ')}`,
        `faults: ${[...new Set(kinds.map(k => k.kind)), 'foreign-use' as const].map(k => `${k} ${faults.hits(k)}`).join(', ')}`,
        `${stored.size} rows; audit: ${report.answers} answers, ${report.differences.length} differences; ended ${toIso(this.#clock.now())}`,
      ].join('\n'),
    )
    expect(meter.violationList).toEqual([])
    expect(november.credits).toBeLessThanOrEqual(plan.creditsPerMonth)
    expect(key.busiestMinute!.calls).toBeLessThanOrEqual(plan.callsPerMinute)
    expect(mostInAnyMinute(meter.entries())).toBeLessThanOrEqual(plan.callsPerMinute)
    expect(december?.credits).toBeGreaterThan(0)
    expect(this.#least).toBeGreaterThanOrEqual(0)
    expect(this.#checks).toBeGreaterThan(4_000)
    expect(share).toBeGreaterThanOrEqual(99)
    expect(report).toMatchObject({ differences: [], pending: 0, unmapped: 0 })
    expect(stored).toEqual(servedPrices(servedEntries(meter)))
    for (const { kind } of kinds) expect(faults.hits(kind), kind).toBeGreaterThan(0)
    expect(key.foreignCredits).toBeGreaterThan(0)
  }
}

/** Most calls of any 60 seconds, wherever they begin, by the provider's clock. */
function mostInAnyMinute(entries: readonly MeterEntry[]): number {
  const times = entries.map(e => e.at).toSorted((a, b) => a - b)
  let first = 0
  let most = 0
  for (const [index, at] of times.entries()) {
    while (at - (times[first] ?? at) >= MINUTE * 1_000) first += 1
    most = Math.max(most, index - first + 1)
  }
  return most
}
