import { describe, expect, it } from 'vitest'
import { cryptos, type Ended, lastJson, startCryptos } from '../support/program.ts'
import { useSandbox } from '../support/simulated.ts'

const simulated = useSandbox('spender')
const { env } = simulated

/** Start of the minute that runs, as a scheduler names it. */
const tick = (): string => new Date(Math.floor(Date.now() / 60_000) * 60_000).toISOString()

const collect = (folder: string, asset: string, slot: string, ...more: string[]): Promise<Ended> =>
  cryptos(
    [
      ...['collect', 'coinmarketcap', '--dataset', 'quotes', '--assets', asset],
      ...['--slot', slot, ...more, '--json'],
    ],
    env(folder),
  )

/** Calls that the sandbox counted for the asset, by which the tests of this file are told apart. */
const calls = (sourceId: string): number =>
  simulated.sandbox.meter.entries().filter(e => e.values.some(v => v.sourceId === sourceId)).length

interface Spent {
  readonly calls: number
  readonly credits: number
}
interface Scope {
  readonly provider: string
  readonly forecast: { readonly text: string }
  readonly spenders: readonly { spender: string; dataset: string; today: Spent; month: Spent }[]
  readonly unnamed: unknown
}
async function quotaOf(folder: string) {
  const said = await cryptos(['quota', 'status', '--json'], env(folder))
  expect(said.code).toBe(0)
  const { scopes, skips, at } = lastJson(said)
  expect(at).toMatch(/^20\d\d-.*Z$/)
  const scope = (scopes as readonly Scope[]).find(s => s.provider === 'coinmarketcap')
  return { scope, skips: skips as readonly Record<string, unknown>[] }
}

// One after the other: they share a key, and what another test spends is foreign use to a ledger.
describe('collect for a scheduler', () => {
  it('asks for a slot once, says so with the ledger’s word, and sums by who spent', async () => {
    const slot = tick()
    const first = await collect('twice', 'bitcoin', slot, '--if-due', '--spender', 'collect_cmc/run-1')
    expect([first.code, lastJson(first)]).toMatchObject([0, { outcome: 'collected', credits: 1 }])
    expect(calls('1')).toBe(1)
    for (const how of [['--if-due'], []]) {
      const again = await collect('twice', 'bitcoin', slot, ...how, '--spender', 'collect_cmc/run-1')
      expect([again.code, lastJson(again)]).toMatchObject([99, { outcome: 'already-done', credits: 0 }])
    }
    expect(calls('1')).toBe(1)
    const { scope, skips } = await quotaOf('twice')
    const one = { calls: 1, credits: 1 }
    // The reconcile of a start that has never read the usage is the spender's call too.
    expect(scope?.spenders[0]).toEqual({ spender: 'collect_cmc', dataset: 'quotes', today: one, month: one })
    expect(scope?.spenders[1]).toMatchObject({ spender: 'collect_cmc', dataset: 'aside' })
    expect(scope?.unnamed).toEqual({ today: { credits: 0 }, month: { credits: 0 } })
    expect(scope?.forecast.text).toMatch(/^at this pace it /)
    expect(skips[0]).toMatchObject({
      ...{ provider: 'coinmarketcap', dataset: 'quotes', outcome: 'already-done', dag: 'collect_cmc' },
      ...{
        run: 'run-1',
        spender: 'collect_cmc/run-1',
        meaning: 'The slot was answered and published before',
      },
    })
    const text = await cryptos(['quota', 'status'], env('twice'))
    expect(text.stdout).toContain('  collect_cmc (quotes): 1 call, 1 credit; today 1 call, 1 credit\n')
    expect(text.stdout).toMatch(
      /\nskipped 2\S+ coinmarketcap\/quotes for collect_cmc\/run-1: already-done, the slot/,
    )
    const nobody = await collect('twice', 'bitcoin', slot, '--run', 'by nobody')
    expect(nobody.code).toBe(0)
    expect((await quotaOf('twice')).scope?.unnamed).toEqual({ today: { credits: 1 }, month: { credits: 1 } })
  })

  it('done again after a crash between answer and topics, publishes what waits, without a call', async () => {
    const slot = tick()
    const line = ['collect', 'coinmarketcap', '--dataset', 'quotes', '--assets', 'ethereum', '--slot', slot]
    const told = ['--if-due', '--spender', 'dag/run', '--json']
    // The usage is settled without a slot, which is not announced: the first is the answer's.
    const killed = await startCryptos([...line, ...told], { ...env('crash'), AT_STEP: 'settled:1' }).ended
    expect(killed.signal).toBe('SIGKILL')
    expect(calls('1027')).toBe(1)
    const again = await cryptos([...line, ...told], env('crash'))
    expect([again.code, lastJson(again)]).toMatchObject([0, { outcome: 'published', credits: 0 }])
    const third = await cryptos([...line, ...told], env('crash'))
    expect([third.code, lastJson(third)]).toMatchObject([99, { outcome: 'already-done' }])
    expect(calls('1027')).toBe(1)
    expect((await quotaOf('crash')).scope?.spenders[0]).toMatchObject({ month: { calls: 1, credits: 1 } })
  })

  it('whose broker is away ends with 1 until the answer is in the topics; without a slot it waits for who comes', async () => {
    const away = { CRYPTOS_BROKER: 'kafka', CRYPTOS_KAFKA_BROKERS: '127.0.0.1:9' }
    const line = ['collect', 'kraken', '--dataset', 'quotes', '--assets', 'cardano', '--json']
    const slot = ['--slot', new Date(Date.parse(tick()) - 120_000).toISOString()]
    const [own, said] = await Promise.all([
      cryptos([...line, '--now'], env('away-now', away)),
      cryptos([...line, ...slot], env('away', away)),
    ])
    expect([own.code, lastJson(own)]).toMatchObject([0, { outcome: 'collected', records: 1 }])
    const { retryAt, ...json } = lastJson(said)
    expect([said.code, json]).toMatchObject([1, { outcome: 'unpublished', records: 1 }])
    expect(Date.parse(String(retryAt)) - Date.now()).toBeLessThan(10_000)
    const back = await cryptos([...line, ...slot], env('away'))
    expect([back.code, lastJson(back)]).toMatchObject([0, { outcome: 'published', records: 0 }])
  })

  it('leaves one run for a sweep that was not due, not wanted or frozen, and none without a spender', async () => {
    const slot = tick()
    const earlier = new Date(Date.parse(slot) - 60_000).toISOString()
    expect((await collect('skips', 'solana', slot, '--spender', 'dag/1')).code).toBe(0)
    const early = await collect('skips', 'solana', earlier, '--if-due', '--spender', 'dag/2')
    expect([early.code, lastJson(early)]).toMatchObject([99, { outcome: 'not-due' }])
    const kinds = { ...env('skips'), CRYPTOS_DATASETS: 'metrics', CRYPTOS_SPENDER: 'dag/3' }
    const unwanted = await cryptos(
      ['collect', 'kraken', '--dataset', 'quotes', '--slot', slot, '--if-due'],
      kinds,
    )
    expect([unwanted.code, unwanted.stdout]).toEqual([
      99,
      expect.stringContaining('CRYPTOS_DATASETS does not want kraken/quotes'),
    ])
    await cryptos(['quota', 'freeze', '--reason', 'bill'], env('skips'))
    expect((await collect('skips', 'solana', earlier, '--if-due', '--spender', 'dag/4')).code).toBe(99)
    await collect('skips', 'solana', earlier, '--if-due')
    const { skips } = await quotaOf('skips')
    expect(skips.map(s => [s['spender'], s['outcome']])).toEqual([
      ['dag/4', 'frozen'],
      ['dag/3', 'source-disabled'],
      ['dag/2', 'not-due'],
    ])
    expect(skips.map(s => s['slot'])).toContain(`coinmarketcap/quotes/${earlier}`)
    const [told] = lastJson(early)['slots'] as readonly { runId: string }[]
    expect(skips[2]).toMatchObject({ runId: told?.runId, retryAt: lastJson(early)['retryAt'] })
  })

  it('gives runs by hand slots of their own: two ids are two calls, one id is one', async () => {
    const slot = tick()
    for (const [id, code] of [
      ['manual/1', 0],
      ['manual/2', 0],
      ['manual/1', 99],
    ] as const)
      expect((await collect('manual', 'xrp', slot, '--run', id, '--spender', `dag/${id}`)).code).toBe(code)
    expect(calls('52')).toBe(2)
    expect((await collect('manual', 'xrp', slot)).code).toBe(0)
    expect(calls('52')).toBe(3)
    expect((await quotaOf('manual')).scope?.spenders[0]).toMatchObject({
      spender: 'dag',
      month: { calls: 2 },
    })
  })
})
