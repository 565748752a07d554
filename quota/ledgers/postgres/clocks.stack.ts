import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { Credits } from '../../../core/brands.ts'
import type { Clock } from '../../../core/ports/clock.ts'
import type { Ledger } from '../../../core/ports/ledger.ts'
import { addMs, HOUR, MINUTE, SECOND } from '../../../core/time.ts'
import { systemClock } from '../../../host/clock.ts'
import { stackServers, uniqueName } from '../../../test/stack/servers.ts'
import { limits, scope, spec } from '../../ledger.fixture.ts'
import { openPostgresLedger } from '../postgres.ts'

const folder = mkdtempSync(join(tmpdir(), 'cryptos-clocks-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A host whose clock is wrong. */
const shifted = (byMs: number): Clock => ({ ...systemClock, now: () => addMs(systemClock.now(), byMs) })

/** The window of a minute is 60 s + D: a short D makes the test short. */
const constants = { connectMs: 0, totalDeadlineMs: SECOND, skewMs: 0 }

interface Host {
  readonly clock: Clock
  readonly ledger: Ledger
}

async function hostsOf(shiftsMs: readonly number[]): Promise<readonly Host[]> {
  const { url } = stackServers().postgres
  const schema = uniqueName('clocks')
  const hosts: Host[] = []
  for (const byMs of shiftsMs) {
    const clock = shifted(byMs)
    const spoolFolder = join(folder, `${schema}${byMs}`)
    hosts.push({
      clock,
      ledger: await openPostgresLedger({ url, schema, clock, time: 'server', spoolFolder, constants }),
    })
  }
  const wide = { ...limits, creditsPerMonth: 10_000 }
  for (const { ledger, clock } of hosts)
    await ledger.openScope({ ...spec, limits: wide, hasUsage: false }, clock.now())
  return hosts
}

/** All hosts want a call every half second; how many they got. */
async function granted(hosts: readonly Host[], forMs: number): Promise<number> {
  let got = 0
  const until = performance.now() + forMs
  for (let turn = 0; performance.now() < until; turn += 1) {
    for (const [index, { ledger, clock }] of hosts.entries()) {
      const now = clock.now()
      const reservationId = `${index}-${turn}`
      const decision = await ledger.reserve({ scope, reservationId, costMax: Credits(1), slot: null, now })
      if (decision.kind !== 'granted') continue
      got += 1
      // What the host is told is in its own time: it sends neither late nor not at all.
      const leftMs = (decision.startBy - clock.now()) / 1_000
      expect(leftMs).toBeGreaterThan(0)
      expect(leftMs).toBeLessThanOrEqual(5 * SECOND)
      const charge = { kind: 'known', credits: Credits(1) } as const
      await ledger.settle({
        scope,
        reservationId,
        charge,
        providerDate: systemClock.now(),
        now: clock.now(),
        why: 'test',
      })
    }
    await sleep(500)
  }
  return got
}

describe('hosts whose clocks are wrong', () => {
  it('get together no more calls a minute than there are, by the time of the server', async () => {
    const hosts = await hostsOf([40 * SECOND, 0, -40 * SECOND])
    // By its own clock the first would forget the calls of the others after 21 s.
    const got = await granted(hosts, 28 * SECOND)
    console.log(`10 calls a minute, 28 s, clocks of +40, 0 and -40 s: ${got} calls`)
    expect(got).toBe(10)
    for (const { ledger } of hosts) await ledger.close()
  })

  it('agree with the provider by the clock of the server, and open no period by their own', async () => {
    const hosts = await hostsOf([40 * 24 * HOUR, 0])
    const [wrong, right] = hosts as [Host, Host]
    for (const { ledger, clock } of [right, wrong]) {
      const reservationId = String(clock.now())
      const now = clock.now()
      await ledger.reserve({ scope, reservationId, costMax: Credits(1), slot: null, now })
      const charge = { kind: 'known', credits: Credits(1) } as const
      await ledger.settle({ scope, reservationId, charge, providerDate: systemClock.now(), now, why: 'test' })
    }
    const [a, b] = await Promise.all(hosts.map(({ ledger, clock }) => ledger.status(clock.now())))
    expect(a?.[0]?.windows).toEqual(b?.[0]?.windows)
    const month = a?.[0]?.windows.find(w => w.window === 'month')
    expect(month).toMatchObject({ used: 2, reserved: 0 })
    expect(month?.resetsAt).toBeLessThan(addMs(systemClock.now(), 32 * 24 * HOUR))
    expect(a?.[0]).toMatchObject({ frozen: null, jump: false })
    for (const { ledger } of hosts) await ledger.close()
  })

  it('are told by when a pause is over, by the clock of the server', async () => {
    const [behind, right] = (await hostsOf([-40 * SECOND, 0])) as [Host, Host]
    const now = behind.clock.now()
    await behind.ledger.reserve({ scope, reservationId: 'a', costMax: Credits(1), slot: null, now })
    const charge = { kind: 'known', credits: Credits(0) } as const
    const pauseUntil = addMs(now, MINUTE)
    await behind.ledger.settle({
      scope,
      reservationId: 'a',
      charge,
      providerDate: null,
      now,
      why: '429',
      pauseUntil,
    })
    const at = right.clock.now()
    const denial = await right.ledger.reserve({
      scope,
      reservationId: 'b',
      costMax: Credits(1),
      slot: null,
      now: at,
    })
    expect(denial).toMatchObject({ kind: 'denied', why: 'paused' })
    const leftMs = denial.kind === 'denied' ? ((denial.retryAt ?? 0) - at) / 1_000 : 0
    expect(leftMs).toBeGreaterThan(MINUTE - 5 * SECOND)
    expect(leftMs).toBeLessThanOrEqual(MINUTE)
    for (const { ledger } of [behind, right]) await ledger.close()
  })
})
