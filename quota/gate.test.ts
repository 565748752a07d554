import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Credits, ProviderId } from '../core/brands.ts'
import type { Ledger } from '../core/ports/ledger.ts'
import { MINUTE, parseIso, SECOND } from '../core/time.ts'
import { VirtualClock } from '../core/virtual-clock.ts'
import { maySpend, type Sweep } from './gate.ts'
import { openSqliteLedger } from './ledgers/sqlite.ts'
import { plans } from './plans.ts'

const provider = ProviderId('coinmarketcap')
const wish = { refreshMs: MINUTE, intervalMs: MINUTE, pages: 1, costPerSweep: 1, reserveShare: 0 }
const sweep: Sweep = { scope: 'key:0', provider, dataset: 'quotes', wish }

describe('gate', () => {
  let dir: string
  let clock: VirtualClock
  let ledger: Ledger
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'cryptos-gate-'))
    clock = new VirtualClock(parseIso('2026-11-21T12:00:20Z'))
    ledger = await openSqliteLedger({ file: join(dir, 'ledger.db'), clock })
    const limits = plans['coinmarketcap/basic-2026']
    await ledger.openScope({ scope: 'key:0', provider, limits, hasUsage: true, owned: true }, clock.now())
  })
  afterEach(async () => {
    await ledger.close()
    rmSync(dir, { recursive: true })
  })
  const ask = (reservationId: string) =>
    maySpend(ledger, { sweep, page: 0, costMax: Credits(1), reservationId, now: clock.now() })

  it('gives one permit a slot, and "not due" until the next', async () => {
    const slot = 'coinmarketcap/quotes/2026-11-21T12:00:00.000Z/0'
    expect(await ask('a')).toMatchObject({ kind: 'granted', attempt: 1, slot })
    expect(await ask('b')).toMatchObject({ kind: 'not-due' })
    clock.advance(2 * MINUTE)
    expect(await ask('c')).toMatchObject({ kind: 'granted' })
  })

  it('tells "denied" from "not due"', async () => {
    await ledger.freeze(null, 'stop', clock.now())
    expect(await ask('a')).toMatchObject({ kind: 'denied', why: 'frozen' })
    clock.advance(40 * SECOND)
    expect(await ask('b')).toMatchObject({ kind: 'not-due' })
  })
})
