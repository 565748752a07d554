import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HOUR, MINUTE, parseIso } from '../../core/time.ts'
import { createClockFile, moveClockFile, openClockFile } from '../../sandbox/clock-file.ts'
import { type Sandbox, type SandboxOptions, startSandbox } from '../../sandbox/server.ts'
import { type Env, runCryptos } from '../support/program.ts'
import { scratch } from '../support/scratch.ts'

/** What a scheduler runs beside the collectors, each with every exit code that it acts on. */

interface Look {
  readonly provider: string
  readonly dataset: string
  readonly state: string
  readonly cause: string | null
  readonly reason: string | null
  readonly ageSeconds: number | null
  readonly staleAfterSeconds: number
}

/** A data folder and a virtual clock of its own, and a sandbox that lives by it. */
function useWorld(name: string, plan?: SandboxOptions['plan']) {
  const place = scratch(name)
  const clockFile = place.file('clock')
  let sandbox: Sandbox | undefined
  beforeAll(async () => {
    createClockFile(clockFile, parseIso('2026-11-21T12:00:30Z'))
    sandbox = await startSandbox({ clock: openClockFile(clockFile), ...(plan ? { plan } : {}) })
  })
  afterAll(async () => {
    await sandbox?.close()
    place[Symbol.dispose]()
  })
  const run = (args: readonly string[], more: Env = {}) =>
    runCryptos(args, {
      CRYPTOS_DATA_DIR: place.file('data'),
      CRYPTOS_SOURCE: 'sandbox',
      CRYPTOS_SANDBOX_URL: sandbox?.url ?? '',
      CRYPTOS_SANDBOX_CLOCK_FILE: clockFile,
      CRYPTOS_ASSETS: 'bitcoin',
      CRYPTOS_PROVIDERS: 'kraken,coinbase',
      ...more,
    })
  const pass = (ms: number): void => moveClockFile(clockFile, { advanceMs: ms })
  return { place, run, pass, sandbox: () => sandbox }
}

describe('cryptos freshness', () => {
  const { place, run, pass } = useWorld('freshness')
  const looks = ({ json }: { readonly json: Record<string, unknown> }) => json['datasets'] as readonly Look[]
  const tick = (run_: string) =>
    run(['collect', 'kraken', '--dataset', 'quotes', '--if-due', '--spender', `collect_kraken/${run_}`])

  it('ends with 1 where nothing ever ran, and names each dataset', async () => {
    const said = await run(['freshness'])
    expect([said.code, said.json['outcome'], said.json['stale']]).toEqual([
      1,
      'stale',
      ['kraken/quotes', 'coinbase/quotes'],
    ])
    expect(looks(said).map(look => [look.cause, look.ageSeconds])).toEqual([
      ['nothing-ran', null],
      ['nothing-ran', null],
    ])
  })
  it('ends with 0 after an answer, as long as it is young enough for the pace', async () => {
    expect((await tick('1')).code).toBe(0)
    const said = await run(['freshness', 'kraken'])
    expect([said.code, said.json['ok'], said.json['stale']]).toEqual([0, true, []])
    expect(looks(said)).toMatchObject([{ dataset: 'quotes', state: 'fresh', staleAfterSeconds: 300 }])
    pass(4 * MINUTE)
    expect((await run(['freshness', 'kraken'])).code).toBe(0)
    expect((await run(['freshness', 'kraken', '--intervals', '1', '--at-least', '3m'])).code).toBe(1)
  })
  it('tells a schedule that stands still from one whose every run was skipped', async () => {
    pass(2 * MINUTE)
    const still = await run(['freshness', 'kraken'])
    expect([still.code, looks(still)[0]?.cause]).toEqual([1, 'nothing-ran'])
    expect(looks(still)[0]?.reason).toMatch(/newest run began at 2026-11-21T12:00:30.*\(collected\)/)
    await run(['quota', 'freeze', '--reason', 'bill not paid'])
    for (const id of ['2', '3']) {
      expect((await tick(id)).code).toBe(99)
      pass(MINUTE)
    }
    const skipped = await run(['freshness', 'kraken'])
    expect([skipped.code, looks(skipped)[0]?.cause]).toEqual([1, 'all-skipped'])
    expect(looks(skipped)[0]?.reason).toMatch(
      /^every run since the last answer was skipped \(frozen 2\).*bill not paid/,
    )
    await run(['quota', 'unfreeze'])
  })
  it('names the failure of a source that fails', async () => {
    const gone = { CRYPTOS_SANDBOX_URL: 'http://127.0.0.1:1' }
    const tried = await run(['collect', 'kraken', '--now'], gone)
    expect([tried.code, tried.json['outcome']]).toEqual([1, 'transport-error'])
    const said = await run(['freshness', 'kraken'])
    expect([said.code, looks(said)[0]?.cause]).toEqual([1, 'failing'])
    expect(looks(said)[0]?.reason).toContain('transport-error')
    expect(said.json['gapsUnread']).toBeUndefined()
    const away = { CRYPTOS_SINKS: 'influxdb', CRYPTOS_INFLUXDB_URL: 'http://127.0.0.1:1' }
    const unread = await run(['freshness', 'kraken'], away)
    expect([unread.code, looks(unread)[0]?.cause]).toEqual([1, 'failing'])
    expect(unread.json['gapsUnread']).toMatch(/^InfluxDB at/)
  })
  it('looks at what a scheduler runs although no setting names it, until it is switched off', async () => {
    const names = async () => looks(await run(['freshness'])).map(look => `${look.provider}/${look.dataset}`)
    const named = ['kraken/quotes', 'coinbase/quotes']
    const other = ['collect', 'bitstamp', '--now']
    expect((await run(other)).code).toBe(0)
    // Who collects by hand has no schedule that could stand still.
    expect(await names()).toEqual(named)
    await run(['collect', 'bitstamp', '--slot', '2026-11-21T12:00:00Z', '--spender', 'collect_bitstamp/1'])
    expect(await names()).toEqual([...named, 'bitstamp/quotes'])
    pass(10 * MINUTE)
    expect((await run(['freshness'])).json['stale']).toContain('bitstamp/quotes')
    expect(looks(await run(['freshness', 'kraken']))).toHaveLength(1)
    pass(HOUR)
    expect(await names()).toEqual(named)
  })
  it('ends with 99 where nothing is wanted, and with 2 for what it can not understand', async () => {
    const none = await run(['freshness'], { CRYPTOS_DATASETS: 'metrics' })
    expect([none.code, none.json['outcome']]).toEqual([99, 'source-disabled'])
    const live = { CRYPTOS_DATA_DIR: place.file('live'), CRYPTOS_SOURCE: 'live' }
    const off = await runCryptos(['freshness', 'coindesk'], live)
    expect([off.code, off.json['reason']]).toEqual([99, expect.stringMatching(/^CoinDesk is off since 2025/)])
    for (const wrong of [['nobody'], ['--intervals', '0'], ['--at-least', '5']])
      expect((await run(['freshness', ...wrong])).code).toBe(2)
  })
})

describe('cryptos housekeeping', () => {
  const { run, pass } = useWorld('housekeeping')

  it('removes once what is too old, tells how much, and then finds nothing', async () => {
    expect((await run(['collect', 'kraken', '--now'])).code).toBe(0)
    const early = await run(['housekeeping'])
    expect([early.code, early.json['removed']]).toEqual([0, { outbox: 0, topics: 0, sqlite: 0 }])
    pass(30 * 24 * HOUR)
    const late = await run(['housekeeping'])
    expect([late.code, late.json['ok']]).toEqual([0, true])
    expect(late.json['removed']).toEqual({ outbox: 1, topics: expect.any(Number), sqlite: 0 })
    expect((late.json['removed'] as Record<string, number>)['topics']).toBeGreaterThan(0)
    const again = await run(['housekeeping'])
    expect(again.json['removed']).toEqual({ outbox: 0, topics: 0, sqlite: 0 })
  })
  it('ends with 1 where a store is away, and keeps the others all the same', async () => {
    const away = { CRYPTOS_SINKS: 'influxdb,sqlite', CRYPTOS_INFLUXDB_URL: 'http://127.0.0.1:1' }
    const said = await run(['housekeeping'], away)
    expect([said.code, said.json['ok']]).toEqual([1, false])
    expect(said.json['removed']).toEqual({ outbox: 0, topics: 0, sqlite: 0 })
    expect(Object.keys(said.json['failed'] as object)).toEqual(['influxdb'])
    expect(said.json['reason']).toMatch(/^1 place could not be kept \(influxdb\): InfluxDB at/)
  })
})

describe('cryptos dlq report', () => {
  const { run, pass, sandbox } = useWorld('dlq-report')
  const report = (since: string) => run(['dlq', 'report', '--since', since])

  it('ends with 0 where there are none, with 1 and counts where there are, with 0 when they are old', async () => {
    const none = await report('1h')
    expect([none.code, none.json['letters']]).toEqual([0, 0])
    // A good envelope around prices that no mapping understands.
    const body = JSON.stringify({ status: { error_code: 0, credit_count: 1 }, data: [{ id: 1, qoute: [] }] })
    const fault = { kind: 'replace-body', body, charged: true, times: 1 } as const
    sandbox()?.faults.add({ ...fault, provider: 'coinmarketcap', endpoint: 'quotes' })
    const collected = await run(['collect', 'coinmarketcap', '--now'])
    expect(collected.json['outcome']).toBe('payload-invalid')
    const some = await report('1h')
    expect([some.code, some.json['ok'], some.json['outcome'], some.json['letters']]).toEqual([
      1,
      false,
      'failed',
      1,
    ])
    expect(some.json['counts']).toMatchObject([
      { stage: 'collectors', code: 'CRY_PROVIDER_PAYLOAD', count: 1, id: expect.any(String) },
    ])
    pass(2 * HOUR)
    expect((await report('1h')).code).toBe(0)
    expect((await report('3h')).code).toBe(1)
    expect((await report('soon')).code).toBe(2)
  })
})

describe('cryptos backfill --require-credits', () => {
  const { place, run, sandbox } = useWorld('require-credits', { creditsPerMonth: 5, callsPerMinute: 30 })
  const ask = (assets: string, ...more: string[]) =>
    run([
      ...['backfill', 'coinmarketcap', '--from', '2026-09-01', '--to', '2026-10-01'],
      ...['--assets', assets, ...more],
    ])

  it('tells the cost beside what is left, begins when it is there, and pays nothing twice', async () => {
    // The ledger learns the small plan from the key itself.
    expect((await run(['quota', 'reconcile'], { CRYPTOS_PROVIDERS: 'coinmarketcap' })).code).toBe(0)
    const dry = await ask('bitcoin', '--dry-run', '--require-credits')
    expect([dry.code, dry.json]).toMatchObject([
      0,
      { calls: 2, answered: 0, credits: 2, left: 4, kept: 1, isEnough: true },
    ])
    const made = await ask('bitcoin', '--require-credits')
    expect([made.code, made.json['outcome'], made.json['credits']]).toEqual([0, 'collected', 2])
    // Ticks that were skipped push the runs out within a day; what was paid is known for longer.
    const ledger = new DatabaseSync(place.file('data/sandbox/ledger.db'))
    ledger.exec('DELETE FROM runs')
    ledger.close()
    const again = await ask('bitcoin', '--dry-run')
    expect(again.json).toMatchObject({ calls: 2, answered: 2, credits: 0, left: 2, isEnough: true })
  })
  it('ends with 99 and the reason when they are not, and sends nothing', async () => {
    const calls = (): number | undefined => sandbox()?.meter.entries().length
    const before = calls()
    for (const more of [[], ['--dry-run']]) {
      const said = await ask('ethereum,solana', '--require-credits', ...more)
      expect([said.code, said.json]).toMatchObject([
        99,
        { outcome: 'denied-by-quota', credits: 4, left: 2, kept: 1, isEnough: false },
      ])
      expect(said.json['reason']).toMatch(/may cost 4 credits, and 2 are left until .*beside 1 that are kept/)
      expect(said.json['retryAt']).toMatch(/^2026-12-01T00:00:00/)
    }
    const dry = await ask('ethereum,solana', '--dry-run')
    expect([dry.code, dry.json['isEnough']]).toEqual([0, false])
    await run(['quota', 'freeze', '--reason', 'bill'])
    const frozen = await ask('ethereum', '--require-credits')
    expect([frozen.code, frozen.json['outcome']]).toEqual([99, 'frozen'])
    expect(calls()).toBe(before)
  })
})
