import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { twins } from '../sandbox/registry.ts'
import type { BodyChange } from '../sandbox/body-changes.ts'
import { providers } from './registry.ts'
import { lostAssets, openTrapBench, type TrapBench, type TrapEnd, wrongPrices } from './testing/trap-run.ts'
import {
  bodyTraps,
  emptyTraps,
  harmlessTraps,
  pageTraps,
  slowTraps,
  type Trap,
  wireTraps,
} from './testing/traps.ts'

/** Far above what a bounded client needs, far below what the bomb and the endless body hold. */
const mostGrownMb = 80

/** Changes that a body of this shape has no place for; for all other providers half of them is enough. */
const withoutPlace: Readonly<Record<string, readonly BodyChange[]>> = {
  coinmarketcap: [],
  // The currency is part of the name; there is no time.
  kraken: ['missing-currency', 'relabelled-currency', 'shifted-clock'],
  // One product, without its name or currency.
  coinbase: [
    ...(['duplicate-row', 'omitted-row', 'symbol-collision', 'truncated-array'] as const),
    ...(['missing-currency', 'relabelled-currency'] as const),
  ],
}
/** After these the changed row holds no price that anybody may believe. */
const unreadable: readonly BodyChange[] = [
  ...(['null-price', 'zero-price', 'negative-price', 'empty-price', 'text-price', 'huge-price'] as const),
  ...(['object-price', 'array-price', 'separators-price', 'renamed-field', 'truncated-array'] as const),
  ...(['omitted-row', 'duplicate-row', 'missing-currency', 'relabelled-currency'] as const),
]
const simulated = providers.filter(p => twins.some(twin => twin.id === p.id))
const bothWays = simulated.flatMap(provider => slowTraps.map(trap => ({ provider, ...trap })))

const deadlineMs = 1_000
const mostMs = 10_000

/** What holds whatever went wrong. */
function expectSound(end: TrapEnd, { ends, code }: Trap): void {
  const { result } = end
  expect(ends, result.reason).toContain(result.outcome)
  expect(result.code).toBe(code)
  expect(wrongPrices(end)).toEqual([])
  expect(lostAssets(end)).toEqual([])
  expect(end.mapped?.records.length ?? 0).toBe(result.records)
  // Never less than the documented price of what was sent; what the ledger counts is what the result tells.
  expect(result.credits).toBeGreaterThanOrEqual(Math.min(end.entry.credits, end.costMax))
  expect(end.credits).toBe(result.credits)
  expect(end.tookMs).toBeLessThan(mostMs)
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
}

describe.each(simulated)('$id', { timeout: 30_000 }, provider => {
  let bench: TrapBench
  beforeAll(async () => {
    bench = await openTrapBench(provider)
    const { result } = await bench.poll(undefined)
    expect(result).toMatchObject({ outcome: 'collected' })
  })
  afterAll(() => bench[Symbol.asyncDispose]())

  it.each([...pageTraps, ...emptyTraps])('$name: nothing is recorded', async trap => {
    const end = await bench.poll(trap.fault)
    expect([end.hits, end.result.records]).toEqual([1, 0])
    expectSound(end, trap)
  })

  it.each(wireTraps)('$name: no answer, and memory stays bounded', async trap => {
    const end = await bench.poll(trap.fault)
    expect([end.hits, end.result.answerId]).toEqual([1, undefined])
    expectSound(end, trap)
    expect(end.grownMb).toBeLessThan(mostGrownMb)
  })

  it.each(harmlessTraps)('$name: every price is recorded', async trap => {
    const end = await bench.poll(trap.fault)
    const acts = trap.fault.kind === 'change-body' || trap.fault.kind === 'overcharge' ? [0, 1] : [1]
    expect(acts).toContain(end.hits)
    expectSound(end, trap)
    // What the answer says that it cost, else the full price: a provider that charges more in secret is found by its own counter.
    expect([end.entry.credits, end.costMax]).toContain(end.result.credits)
  })

  describe('a body that says something else', () => {
    const placeless: BodyChange[] = []

    it.each(bodyTraps)('$name: what the body says is recorded, or nothing', async trap => {
      const end = await bench.poll(trap.fault, trap.change.startsWith('frozen') ? 2 : 1)
      expectSound(end, trap)
      if (end.hits === 0) placeless.push(trap.change)
      else expect(end.entry.faults).toEqual(['change-body'])
      // One bad row spoils no other, unless its absence makes the others' places doubtful.
      const isAll = trap.fault.kind === 'change-body' && trap.fault.all === true
      if (!isAll && trap.change !== 'omitted-row')
        expect(end.result.records).toBeGreaterThanOrEqual(end.page.assets.length - 1)
      if (unreadable.includes(trap.change) && end.hits > 0)
        expect(end.result.records).toBeLessThan(end.page.assets.length)
    })

    it('has a place for each change that its shape allows', () => {
      const known = withoutPlace[provider.id]
      if (known) expect(new Set(placeless)).toEqual(new Set(known))
      else expect(placeless.length).toBeLessThan(bodyTraps.length / 2)
    })
  })
})

describe.concurrent.each(bothWays)('$provider.id: $name', { timeout: 60_000 }, ({ provider, ...trap }) => {
  it('ends at the deadline', async () => {
    await using own = await openTrapBench(provider, { deadlineMs })
    const end = await own.poll(trap.fault)
    expect([end.hits, end.result.answerId]).toEqual([1, undefined])
    expectSound(end, trap)
    expect(end.tookMs).toBeGreaterThanOrEqual(deadlineMs - 5)
  })
})
