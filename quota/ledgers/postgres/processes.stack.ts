import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import type { Ledger } from '../../../core/ports/ledger.ts'
import { systemClock } from '../../../host/clock.ts'
import { kill, restart } from '../../../scripts/stack/stack.ts'
import { stackServers, throwAwayStack, uniqueName } from '../../../test/stack/servers.ts'
import { limits, scope, spec } from '../../ledger.fixture.ts'
import { replay } from '../../replay.ts'
import { openPostgresLedger } from '../postgres.ts'
import { startHammers } from './testing/hammers.ts'

const folder = mkdtempSync(join(tmpdir(), 'cryptos-hammers-'))
afterAll(() => rmSync(folder, { recursive: true }))
const { now } = systemClock
const wide = { ...limits, creditsPerMonth: 10_000, callsPerMinute: 10_000 }

async function opened(
  url: string,
  plan: Partial<typeof wide>,
): Promise<{ ledger: Ledger; schema: string; spoolFolder: string }> {
  const schema = uniqueName('hammers')
  const spoolFolder = join(folder, schema)
  const ledger = await openPostgresLedger({ url, schema, spoolFolder, clock: systemClock })
  await ledger.openScope({ ...spec, limits: { ...wide, ...plan } }, now())
  return { ledger, schema, spoolFolder }
}

const month = async (ledger: Ledger) =>
  (await ledger.status(now()))[0]?.windows.find(w => w.window === 'month')

async function until(isSo: () => boolean | Promise<boolean>, limitMs = 60_000): Promise<void> {
  for (const giveUpAt = performance.now() + limitMs; performance.now() < giveUpAt; await sleep(20))
    if (await isSo()) return
}

/** Who had sent when the server went away settles into the spool. */
async function waitingIn(spoolFolder: string): Promise<number> {
  await until(() => readdirSync(spoolFolder).length > 0, 5_000)
  return readdirSync(spoolFolder).length
}

/** What must hold whatever happened: no slot twice, every answer kept, the sums right, the log whole. */
async function judged(ledger: Ledger, sent: readonly string[]): Promise<void> {
  expect(new Set(sent).size).toBe(sent.length)
  const answers = await ledger.outbox.pending(100_000)
  expect(answers.map(a => a.slot).toSorted()).toEqual(sent.toSorted())
  expect(await month(ledger)).toMatchObject({ used: sent.length, reserved: 0 })
  const events = await ledger.events({ limit: 1_000_000, after: 0 })
  expect(events.map(e => e.sequence)).toEqual(events.map((_, i) => i + 1))
  expect(replay(events).get(scope)).toEqual({ used: sent.length, reserved: 0 })
  expect(await ledger.outbox.stats()).toMatchObject({ pending: sent.length, bytes: 10 * sent.length })
}

describe('many processes on one PostgreSQL ledger', () => {
  it.each([
    { what: 'credits a month', plan: { creditsPerMonth: 120 }, wanted: 120 },
    { what: 'calls a minute', plan: { callsPerMinute: 70 }, wanted: 70 },
  ])('get exactly as many $what as there are, each slot once (P2, P6, P8)', async ({ plan, wanted }) => {
    const { ledger, schema, spoolFolder } = await opened(stackServers().postgres.url, plan)
    const { url } = stackServers().postgres
    const hammers = await startHammers(4, { url, schema, spoolFolder, slots: 150, callers: 5, answerMs: 20 })
    hammers.go()
    const reports = await hammers.reports
    const sent = reports.flatMap(r => r.sent)
    console.log(
      `${reports.length} processes wanted 150 slots each: ${reports.map(r => r.sent.length).join(' + ')} calls`,
    )
    expect(sent).toHaveLength(wanted)
    expect(reports.map(r => r.met)).toEqual([{}, {}, {}, {}])
    expect(reports.filter(r => r.sent.length > 0).length).toBeGreaterThanOrEqual(2)
    await judged(ledger, sent)
    await ledger.close()
  })

  it('overspend nothing and lose no answer while the server is killed again and again', async () => {
    const stack = await throwAwayStack({ servers: ['postgres'] })
    const { url } = stack.addresses.postgres
    const { ledger, schema, spoolFolder } = await opened(url, { creditsPerMonth: 400 })
    const hammers = await startHammers(3, { url, schema, spoolFolder, slots: 450, callers: 8, answerMs: 300 })
    hammers.go()
    const outages: number[] = []
    for (let kills = 0; kills < 6; kills += 1) {
      await sleep(200 + 250 * Math.random())
      await until(async () => Number((await month(ledger))?.reserved) >= 3)
      await kill(stack.folder, 'postgres', 'SIGKILL')
      outages.push(await waitingIn(spoolFolder))
      await restart(stack.folder, 'postgres')
    }
    const reports = await hammers.reports
    const sent = reports.flatMap(r => r.sent)
    const met = reports.map(r => JSON.stringify(r.met)).join(' ')
    console.log(
      `6 kills -9: ${sent.length} calls, ${outages.join(' + ')} settlements in the spool; met ${met}`,
    )
    await judged(ledger, sent)
    expect(sent).toHaveLength(400)
    expect(readdirSync(spoolFolder)).toEqual([])
    // Most kills hit between a call and its settlement.
    expect(outages.filter(n => n > 0).length).toBeGreaterThanOrEqual(4)
    // Whether a caller meets an outage, or waits it out, is a matter of moments; nothing else is met.
    for (const { met: seen } of reports)
      expect(['', 'CRY_LEDGER_UNAVAILABLE']).toContain(Object.keys(seen).join())
    await ledger.close()
    await stack.stop()
  })
})
