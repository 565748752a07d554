import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseIso } from '../../core/time.ts'
import { systemClock } from '../../host/clock.ts'
import { createClockFile, openClockFile } from '../../sandbox/clock-file.ts'
import type { MeterEntry } from '../../sandbox/meter.ts'
import { type Sandbox, startSandbox } from '../../sandbox/server.ts'
import {
  acceptedAnswers,
  ledgerScopes,
  servedEntries,
  servedPrices,
  storedPrices,
  storedQuotes,
} from '../support/judge.ts'
import { type Ended, runCryptos, startCryptos, startScript, until } from '../support/program.ts'
import { scratch } from '../support/scratch.ts'

const files = (dataDir: string) => ({
  ledger: `${dataDir}/sandbox/ledger.db`,
  store: `${dataDir}/sandbox/series.db`,
})
const lastLine = ({ stdout }: Ended): unknown => JSON.parse(stdout.trim().split('\n').at(-1) ?? 'null')

/** A collector may ask for its usage first. */
const prices = { provider: 'coinmarketcap', endpoint: 'quotes' } as const
const priceCalls = (sandbox: Sandbox): readonly MeterEntry[] =>
  sandbox.meter.entries().filter(e => e.provider === prices.provider && e.endpoint.includes(prices.endpoint))

describe('many processes, one quota', () => {
  it('three that collect the same slot at the same time make one call', async () => {
    using folder = scratch('same-slot')
    const sandbox = await startSandbox({ clock: systemClock })
    const env = { CRYPTOS_DATA_DIR: folder.path, CRYPTOS_SOURCE: 'sandbox', CRYPTOS_SANDBOX_URL: sandbox.url }
    // Long enough under way that all three ask while the first waits for its answer.
    sandbox.faults.add({ kind: 'delay', ms: 400, ...prices })
    const slot = ['collect', 'coinmarketcap', '--slot', new Date().toISOString()]
    const ended = await Promise.all([1, 2, 3].map(() => runCryptos(slot, env)))
    const outcomes = ended.map(e => `${e.code} ${String(e.json['outcome'])}`).toSorted()
    const calls = priceCalls(sandbox).length
    const [again] = [await runCryptos(slot, env)]
    await sandbox.close()
    console.log(
      `same slot: ${outcomes.join(', ')}; ${calls} call; once more: ${again.code} ${String(again.json['outcome'])}`,
    )
    expect(calls).toBe(1)
    expect(outcomes.filter(o => o === '0 collected')).toHaveLength(1)
    for (const outcome of outcomes)
      expect(['0 collected', '0 published', '1 in-flight', '99 already-done']).toContain(outcome)
    expect([again.code, again.json['outcome']]).toEqual([99, 'already-done'])
    expect(priceCalls(sandbox)).toHaveLength(1)
  })

  it.each([
    { what: 'credits a month', plan: { creditsPerMonth: 20, callsPerMinute: 100 } },
    { what: 'calls a minute', plan: { creditsPerMonth: 1_000, callsPerMinute: 20 } },
  ])('four that want forty get exactly twenty $what', async ({ plan }) => {
    using folder = scratch('twenty')
    const clockFile = folder.file('clock')
    createClockFile(clockFile, parseIso('2026-11-21T12:00:30Z'))
    const sandbox = await startSandbox({ clock: openClockFile(clockFile), plan })
    const env = {
      CRYPTOS_DATA_DIR: folder.file('data'),
      CRYPTOS_SOURCE: 'sandbox',
      CRYPTOS_SANDBOX_URL: sandbox.url,
      CRYPTOS_SANDBOX_CLOCK_FILE: clockFile,
      CRYPTOS_ASSETS: 'bitcoin',
    }
    // The ledger learns the small plan from the key itself; that is one of the calls of the minute.
    const reconciled = await runCryptos(['quota', 'reconcile'], env)
    expect(reconciled.code).toBe(0)
    const wanting = [0, 1, 2, 3].map(i =>
      startScript('test/support/collect-slots.ts', ['10', String(10 * i)], env),
    )
    await Promise.all(wanting.map(w => w.says('loaded')))
    for (const { child } of wanting) child.stdin?.write('go\n')
    const outcomes = (await Promise.all(wanting.map(w => w.ended))).flatMap(e => lastLine(e) as string[])
    const key = sandbox.meter.scopes().find(s => s.provider === 'coinmarketcap')!
    await sandbox.close()
    const denied = outcomes.filter(o => o === 'denied-by-quota').length
    const collected = outcomes.filter(o => o === 'collected').length
    const usageCalls = sandbox.meter.entries().filter(e => e.endpoint === '/v1/key/info').length
    const limitedByCalls = plan.callsPerMinute === 20
    expect(sandbox.meter.violationList).toEqual([])
    expect(key.busiestMinute!.calls).toBe(limitedByCalls ? 20 : 20 + usageCalls)
    expect(key.months[0]!.credits).toBe(limitedByCalls ? 20 - usageCalls : 20)
    expect([usageCalls, collected, denied]).toEqual([1, limitedByCalls ? 19 : 20, limitedByCalls ? 21 : 20])
  })
})

describe('a collector that is told to stop', () => {
  it('ends while an answer is under way, and settles it as unknown', async () => {
    using folder = scratch('stop')
    const sandbox = await startSandbox({ clock: systemClock })
    const env = { CRYPTOS_DATA_DIR: folder.path, CRYPTOS_SOURCE: 'sandbox', CRYPTOS_SANDBOX_URL: sandbox.url }
    sandbox.faults.add({ kind: 'delay', ms: 60_000, ...prices })
    const running = startCryptos(['collect', 'coinmarketcap', '--now', '--json'], env)
    await until(() => priceCalls(sandbox).length === 1)
    running.child.kill('SIGTERM')
    const ended = await running.ended
    const { json } = await runCryptos(['quota', 'history'], env)
    await sandbox.close()
    // Neither the answer (a minute away) nor the deadline of the call was waited for: it would have ended by one of them.
    expect([ended.code, lastLine(ended)]).toMatchObject([1, { outcome: 'aborted' }])
    const events = json['events'] as readonly { what: string; credits: number }[]
    expect(events[0]).toMatchObject({ what: 'settled-unknown', credits: 1 })
    const [state] = ledgerScopes(files(folder.path).ledger).filter(s => s.provider === 'coinmarketcap')
    expect([state!.open, state!.month.settled]).toEqual([[], 1])
  })
})

describe('up', () => {
  const folder = scratch('up')
  const dataDir = folder.file('data')
  let sandbox: Sandbox
  let env: Record<string, string>
  let first: Ended
  let second: Ended & { readonly json: Record<string, unknown> }
  let page: string

  beforeAll(async () => {
    sandbox = await startSandbox({ clock: systemClock })
    env = {
      CRYPTOS_DATA_DIR: dataDir,
      CRYPTOS_SOURCE: 'sandbox',
      CRYPTOS_SANDBOX_URL: sandbox.url,
      CRYPTOS_PROVIDERS: 'coinmarketcap,kraken,coinbase',
    }
    const up = startCryptos(['up', '--port', '0', '--json'], env)
    await up.says('"url"')
    page = String((JSON.parse(up.said.stdout) as { url: string }).url)
    // A sweep of all three providers; then a moment in which nothing is under way.
    const served = (): number => servedEntries(sandbox.meter).length
    await until(() => served() >= 8 && acceptedAnswers(files(dataDir).ledger).length === served())
    second = await runCryptos(['up', '--port', '0'], env)
    up.child.kill('SIGTERM')
    first = await up.ended
  })
  afterAll(async () => {
    await sandbox.close()
    folder[Symbol.dispose]()
  })

  it('ends with 0 when it is told to', () => {
    expect([first.code, first.signal]).toEqual([0, null])
    expect(page).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/?$/)
  })

  it('refuses a second one on the same store with 2 and one sentence', () => {
    expect([second.code, second.json['code']]).toEqual([2, 'CRY_STORE_LOCKED'])
    expect(String(second.json['reason'])).toMatch(/^another cryptos \(PID \d+\) already works on /)
    expect(String(second.json['reason'])).toContain(` already works on ${dataDir}`)
  })

  it('lost nothing: what it was served is stored, or stored by the next one', async () => {
    const storing = startCryptos(['process', '--no-judge'], env)
    // A signal that comes before the program has begun would simply end it.
    await storing.says('Storing into')
    await runCryptos(['publish'], env)
    const answers = acceptedAnswers(files(dataDir).ledger)
    const isAccepted = (entry: MeterEntry): boolean =>
      answers.some(a => a.provider === entry.provider && entry.values.every(v => a.body.includes(v.price)))
    const entries = servedEntries(sandbox.meter)
    // Kraken's rows are named by the time of their receipt, which the sandbox does not know; the audit has them.
    const values = servedPrices(entries.filter(e => isAccepted(e) && e.provider !== 'kraken'))
    await until(async () => existsSync(files(dataDir).store) && hasAll(await stored(), values))
    // Kraken's, and what was worked out of all.
    await until(async () => (await runCryptos(['audit'], env)).json['pending'] === 0)
    storing.child.kill('SIGTERM')
    expect((await storing.ended).code).toBe(0)
    const rows = await stored()
    for (const [key, price] of values) expect([key, rows.get(key)]).toEqual([key, price])
    const audit = await runCryptos(['audit'], env)
    expect([audit.code, audit.json]).toMatchObject([0, { ok: true, pending: 0, differences: [] }])
    expect(Number(audit.json['answers'])).toBe(answers.length)
    // Whatever was under way when it was stopped is settled as unknown, and nothing else is missing.
    const { json } = await runCryptos(['quota', 'history', '--limit', '1000'], env)
    const events = json['events'] as readonly { what: string }[]
    const unknown = events.filter(e => e.what === 'settled-unknown').length
    expect(entries.length - answers.length).toBeLessThanOrEqual(unknown)
  })

  it('exports the digits that were served', async () => {
    const { stdout, code } = await startCryptos(['export', '--format', 'csv'], env).ended
    expect(code).toBe(0)
    const [head = '', ...lines] = stdout.trim().split('\n')
    const column = (name: string): number => head.split(',').indexOf(name)
    const cells = lines.map(line => line.split(','))
    // The consensus is no price that was served.
    const collected = cells.filter(row => row[column('provider')] !== 'consensus')
    const exported = collected.map(row => row[column('price')]).toSorted()
    const rows = [...(await stored()).values()].toSorted()
    const digits = new Set(servedEntries(sandbox.meter).flatMap(e => e.values.map(v => v.price)))
    expect(exported).toEqual(rows)
    expect(exported.filter(price => !digits.has(price!))).toEqual([])
    expect(exported.length).toBeGreaterThanOrEqual(18)
  })

  const stored = async (): Promise<ReadonlyMap<string, string>> =>
    storedPrices(await storedQuotes(files(dataDir).store))
})

const hasAll = (rows: ReadonlyMap<string, string>, values: ReadonlyMap<string, string>): boolean =>
  [...values.keys()].every(key => rows.has(key))
