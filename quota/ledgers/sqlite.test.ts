import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { Credits, type EpochMicros, ProviderId } from '../../core/brands.ts'
import { VirtualClock } from '../../core/virtual-clock.ts'
import { parseIso } from '../../core/time.ts'
import { Bell } from '../../host/bell.ts'
import { systemClock } from '../../host/clock.ts'
import { SqlDb } from '../../host/sqlite.ts'
import { ledgerContract } from '../ledger.contract.ts'
import type { LedgerContract } from '../ledger.fixture.ts'
import { ledgerTimeContract } from '../ledger-time.contract.ts'
import { outboxContract } from '../outbox.contract.ts'
import { pauseContract } from '../pause.contract.ts'
import { sharedLedgerContract } from '../shared-ledger.contract.ts'
import { spendingContract } from '../spending.contract.ts'
import { openSqliteLedger } from './sqlite.ts'

const dir = mkdtempSync(join(tmpdir(), 'cryptos-ledger-'))
let file = ''
let count = 0
beforeEach(() => {
  count += 1
  file = join(dir, `ledger-${count}.db`)
})
afterAll(() => rmSync(dir, { recursive: true }))

const contract: LedgerContract = {
  name: 'sqlite',
  open: (clock, options) => openSqliteLedger({ file, clock, ...options }),
}
ledgerContract(contract)
ledgerTimeContract(contract)
outboxContract(contract)
pauseContract(contract)
sharedLedgerContract(contract)
spendingContract(contract)

const start = parseIso('2026-11-21T12:00:00Z')
const scope = 'key:0123456789abcdef'
const limits = { plan: 'test', creditsPerMonth: 20, creditsPerDay: null, callsPerMinute: 1_000 }
const spec = { scope, provider: ProviderId('kraken'), limits, hasUsage: false, owned: true }
const request = (reservationId: string, now: EpochMicros, slot: string | null = null) => ({
  scope,
  reservationId,
  costMax: Credits(1),
  slot,
  now,
})

/** Reserves until the month is used up and prints how many permits it got. */
const grabber = (ledgerFile: string) => `
import { openSqliteLedger } from ${JSON.stringify(new URL('./sqlite.ts', import.meta.url).href)}
import { systemClock } from ${JSON.stringify(new URL('../../host/clock.ts', import.meta.url).href)}
const ledger = await openSqliteLedger({ file: ${JSON.stringify(ledgerFile)}, clock: systemClock })
let got = 0
for (let i = 0; i < 15; i += 1) {
  const asked = [0, 1].map(n => ledger.reserve({ scope: ${JSON.stringify(scope)}, reservationId: process.pid + '-' + i + '-' + n, costMax: 1, slot: null, now: systemClock.now() }))
  for (const decision of await Promise.all(asked)) if (decision.kind === 'granted') got += 1
}
await ledger.close()
process.stdout.write(String(got))
`

const grabbed = (script: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout.on('data', chunk => {
      text += String(chunk)
    })
    child.on('error', reject)
    child.on('close', code => (code === 0 ? resolve(Number(text)) : reject(new Error(`exit ${code}`))))
  })

describe('sqlite ledger', () => {
  it('gives exactly 20 permits to three processes on one file (P6)', async () => {
    const ledger = await openSqliteLedger({ file, clock: systemClock })
    await ledger.openScope(spec, systemClock.now())
    const got = await Promise.all([1, 2, 3].map(() => grabbed(grabber(file))))
    expect(got.reduce((a, b) => a + b)).toBe(20)
    const [status] = await ledger.status(systemClock.now())
    expect(status?.windows.find(w => w.window === 'month')).toMatchObject({ reserved: 20, left: 0 })
    const events = await ledger.events({ limit: 100, after: 0 })
    expect(events.map(e => e.sequence)).toEqual(events.map((_, i) => i + 1))
    await ledger.close()
  })

  it('shares one commit among callers, announces after it, and rings the bell', async () => {
    const clock = new VirtualClock(start)
    const ledger = await openSqliteLedger({ file, clock })
    await ledger.openScope(spec, start)
    const reader = new SqlDb(file, { synchronous: 'NORMAL', readOnly: true })
    const durable: unknown[] = []
    const onStep = () => {
      durable.push(reader.prepare('SELECT version FROM scopes').get()?.['version'])
    }
    let stop: (() => void) | undefined
    const rung = new Promise<void>(resolve => {
      stop = new Bell(file).listen(resolve, 60_000)
    })
    subscribe('cryptos:step', onStep)
    await Promise.all(['a', 'b', 'c'].map(id => ledger.reserve(request(id, start, `kraken/t/2026/${id}`))))
    unsubscribe('cryptos:step', onStep)
    expect(durable).toEqual([2, 2, 2])
    await rung
    stop?.()
    reader.close()
    await ledger.close()
  })

  it('writes nothing for a denial that was told before', async () => {
    const ledger = await openSqliteLedger({ file, clock: new VirtualClock(start) })
    await ledger.openScope({ ...spec, limits: { ...limits, creditsPerMonth: 0 } }, start)
    const version = () => {
      const db = new SqlDb(file, { synchronous: 'NORMAL', readOnly: true })
      const row = db.prepare('SELECT version FROM scopes').get()
      db.close()
      return row?.['version']
    }
    await ledger.reserve(request('a', start))
    expect(version()).toBe(2)
    for (const id of ['b', 'c', 'd']) await ledger.reserve(request(id, start))
    expect(version()).toBe(2)
    await ledger.close()
  })

  it('fails closed: nothing is granted where the commit fails, and the state before it counts', async () => {
    const clock = new VirtualClock(start)
    const ledger = await openSqliteLedger({ file, clock })
    await ledger.openScope(spec, start)
    const db = new SqlDb(file, { synchronous: 'FULL' })
    db.exec(`CREATE TRIGGER full BEFORE UPDATE ON scopes BEGIN SELECT RAISE(ABORT, 'disk'); END`)
    const failed = await Promise.allSettled(['a', 'b'].map(id => ledger.reserve(request(id, start))))
    expect(failed.map(f => f.status)).toEqual(['rejected', 'rejected'])
    db.exec('DROP TRIGGER full')
    db.close()
    const [status] = await ledger.status(start)
    expect(status?.windows.find(w => w.window === 'month')).toMatchObject({ used: 0, reserved: 0 })
    expect(await ledger.reserve(request('a', start))).toMatchObject({ kind: 'granted' })
    expect((await ledger.events({ limit: 9, after: 0 })).map(e => e.sequence)).toEqual([1, 2])
    await ledger.close()
  })

  it('forgets slots of 40 days ago, also of a dataset that never answers', async () => {
    const clock = new VirtualClock(start)
    const ledger = await openSqliteLedger({ file, clock })
    await ledger.openScope(spec, start)
    const free = { kind: 'known', credits: Credits(0) } as const
    const fail = async (slot: string) => {
      const now = clock.now()
      await ledger.reserve(request(slot, now, slot))
      await ledger.settle({ scope, reservationId: slot, charge: free, providerDate: null, now, why: '503' })
    }
    for (const dataset of ['coinbase/quotes', 'kraken/a', 'kraken/a-b', 'kraken/b'])
      await fail(`${dataset}/2026-11-21T12:00:00.000Z/0.x`)
    clock.advance(45 * 24 * 3_600_000)
    await fail('kraken/b/2027-01-05T12:00:00.000Z/0.x')
    await ledger.outbox.prune(clock.now())
    await ledger.close()
    const db = new SqlDb(file, { synchronous: 'NORMAL', readOnly: true })
    expect(db.prepare('SELECT slot FROM slots').all()).toEqual([
      { slot: 'kraken/b/2027-01-05T12:00:00.000Z/0.x' },
    ])
    db.close()
  })

  it('refuses a damaged file and a closed ledger with the right code', async () => {
    writeFileSync(file, 'not a database, but long enough to look like one '.repeat(200))
    await expect(openSqliteLedger({ file, clock: systemClock })).rejects.toMatchObject({
      code: 'CRY_STORE_CORRUPT',
    })
    const ledger = await openSqliteLedger({ file: `${file}2`, clock: systemClock })
    await ledger.close()
    await expect(ledger.reserve(request('a', start))).rejects.toMatchObject({
      code: 'CRY_LEDGER_UNAVAILABLE',
    })
  })

  it('reads a scope that a former version wrote, without what was added since', async () => {
    const clock = new VirtualClock(start)
    const ledger = await openSqliteLedger({ file, clock })
    await ledger.openScope(spec, start)
    const db = new SqlDb(file, { synchronous: 'FULL' })
    db.exec(
      `UPDATE scopes SET state = json_remove(state, '$.stamp', '$.agreed', '$.asDocumented', '$.usageTriedAt')`,
    )
    db.close()
    expect(await ledger.reserve(request('a', start))).toMatchObject({ kind: 'granted' })
    expect((await ledger.status(start))[0]).toMatchObject({ usageTriedAt: null, jump: false })
    await ledger.close()
  })

  it('refuses a scope whose text was damaged', async () => {
    const ledger = await openSqliteLedger({ file, clock: systemClock })
    await ledger.openScope(spec, systemClock.now())
    const db = new SqlDb(file, { synchronous: 'FULL' })
    db.exec(`UPDATE scopes SET state = '{"v":9}'`)
    db.close()
    await expect(ledger.reserve(request('a', start))).rejects.toMatchObject({ code: 'CRY_STORE_CORRUPT' })
    await ledger.close()
  })
})
