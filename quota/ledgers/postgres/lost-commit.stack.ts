import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Ledger, ReserveRequest, Settlement } from '../../../core/ports/ledger.ts'
import { Credits } from '../../../core/brands.ts'
import { systemClock } from '../../../host/clock.ts'
import { stackServers, uniqueName } from '../../../test/stack/servers.ts'
import { answerOf, scope, slotAt, spec } from '../../ledger.fixture.ts'
import { openPostgresLedger } from '../postgres.ts'
import { Spool } from './spool.ts'
import { type Loss, openTcpProxy, type TcpProxy } from './testing/tcp-proxy.ts'

const folder = mkdtempSync(join(tmpdir(), 'cryptos-lost-'))
const { now } = systemClock
let proxy: TcpProxy
let ledger: Ledger
let direct: Ledger
let schema = ''
let spoolFolder = ''
let count = 0

beforeAll(async () => {
  const { hostname, port } = new URL(stackServers().postgres.url)
  proxy = await openTcpProxy(hostname, Number(port))
})
afterAll(async () => {
  await proxy.close()
  rmSync(folder, { recursive: true })
})
beforeEach(async () => {
  proxy.heal()
  const { url } = stackServers().postgres
  schema = uniqueName('lost')
  spoolFolder = join(folder, schema)
  const through = new URL(url)
  through.port = String(proxy.port)
  const options = { schema, clock: systemClock, spoolFolder }
  ledger = await openPostgresLedger({ ...options, url: through.href })
  direct = await openPostgresLedger({ ...options, url, spoolFolder: join(folder, `${schema}-direct`) })
  await ledger.openScope(spec, now())
})
afterEach(async () => {
  await ledger.close()
  await direct.close()
})

const asked = (): ReserveRequest => {
  count += 1
  return { scope, reservationId: `r${count}`, costMax: Credits(3), slot: slotAt(count), now: now() }
}
const settledBy = ({ reservationId, slot }: ReserveRequest): Settlement => ({
  scope,
  reservationId,
  charge: { kind: 'known', credits: Credits(2) },
  providerDate: now(),
  now: now(),
  why: 'test',
  answer: answerOf(slot ?? '', 1, now()),
})
const month = async () => (await direct.status(now()))[0]?.windows.find(w => w.window === 'month')
const told = async (what: string) =>
  (await direct.events({ limit: 100, after: 0 })).filter(e => e.what === what).length
const spooled = () => readdirSync(spoolFolder).filter(name => name.endsWith('.settlement'))

describe('a server that hangs', () => {
  it('stops spending, and an answer is durable in the spool all the same', async () => {
    const request = asked()
    await ledger.reserve(request)
    proxy.hang()
    const begun = performance.now()
    const [settled, denied] = await Promise.allSettled([
      ledger.settle(settledBy(request)),
      ledger.reserve(asked()),
    ])
    expect([settled.status, denied.status]).toEqual(['fulfilled', 'rejected'])
    expect(performance.now() - begun).toBeLessThan(25_000)
    expect(spooled()).toHaveLength(1)
    await ledger.close()
    proxy.heal()
  })
})

describe('an answer in the spool', () => {
  it('is brought in by the next process of the host, before it spends anything', async () => {
    const request = asked()
    await ledger.reserve(request)
    proxy.loseNext('question', true)
    await ledger.settle(settledBy(request))
    await ledger.close()
    proxy.heal()
    const { url } = stackServers().postgres
    const next = await openPostgresLedger({ url, schema, clock: systemClock, spoolFolder })
    expect(await next.reserve({ ...asked(), slot: request.slot })).toMatchObject({ kind: 'answered' })
    expect(spooled()).toEqual([])
    await next.close()
  })

  it('is kept aside where the ledger will never take it, told, and counted until somebody looks', async () => {
    const warned = once(process, 'warning')
    const spool = new Spool(spoolFolder)
    const [foreign, good] = [asked(), asked()]
    await ledger.reserve(good)
    spool.add({ ...settledBy(foreign), scope: 'key:of another ledger' })
    spool.add(settledBy(good))
    const { url } = stackServers().postgres
    const small = await openPostgresLedger({
      url,
      schema,
      clock: systemClock,
      spoolFolder,
      outboxMaxBytes: 50,
    })
    expect(await small.outbox.pending(9)).toHaveLength(1)
    const [warning] = (await warned) as [Error]
    expect(warning.message).toContain('.settlement.refused is kept aside: the scope key:of another ledger')
    expect(readdirSync(spoolFolder).map(name => name.split('.').at(-1))).toEqual(['refused'])
    await small.outbox.markPublished([`${good.slot}#1`], now())
    expect(await small.reserve(asked())).toMatchObject({ kind: 'denied', why: 'outbox-full' })
    await small.close()
  })
})

describe.each<Loss>(['answer', 'question'])('a COMMIT whose %s is lost', loss => {
  it('is asked again by itself: one permit, one charge', async () => {
    const before = proxy.lost
    const request = asked()
    proxy.loseNext(loss)
    expect(await ledger.reserve(request)).toMatchObject({ kind: 'granted', attempt: 1 })
    expect(await month()).toMatchObject({ reserved: 3, used: 0 })
    proxy.loseNext(loss)
    await ledger.settle(settledBy(request))
    expect(await month()).toMatchObject({ reserved: 0, used: 2 })
    expect(proxy.lost - before).toBe(2)
    expect([await told('reserved'), await told('settled')]).toEqual([1, 1])
    expect(await direct.outbox.pending(9)).toHaveLength(1)
    expect(spooled()).toEqual([])
  })

  it('gives the same permit to the same id when the server is back', async () => {
    const before = proxy.lost
    const request = asked()
    proxy.loseNext(loss, true)
    await expect(ledger.reserve(request)).rejects.toMatchObject({ code: 'CRY_LEDGER_UNAVAILABLE' })
    expect(proxy.lost - before).toBe(1)
    expect(await month()).toMatchObject({ reserved: loss === 'answer' ? 3 : 0 })
    proxy.heal()
    const first = await ledger.reserve(request)
    expect(first).toMatchObject({ kind: 'granted', attempt: 1 })
    expect(await ledger.reserve(request)).toMatchObject({ kind: 'granted', attempt: 1 })
    expect(await month()).toMatchObject({ reserved: 3, used: 0 })
    expect(await told('reserved')).toBe(1)
  })

  it('leaves an answer in the spool, which changes nothing twice', async () => {
    const before = proxy.lost
    const [request, next] = [asked(), asked()]
    await ledger.reserve(request)
    proxy.loseNext(loss, true)
    await ledger.settle(settledBy(request))
    expect(proxy.lost - before).toBe(1)
    expect(spooled()).toHaveLength(1)
    expect(await direct.outbox.pending(9)).toHaveLength(loss === 'answer' ? 1 : 0)
    await expect(ledger.reserve(next)).rejects.toMatchObject({ code: 'CRY_LEDGER_UNAVAILABLE' })
    proxy.heal()
    expect(await ledger.outbox.pending(9)).toMatchObject([{ answerId: `${request.slot}#1`, credits: 2 }])
    expect(spooled()).toEqual([])
    await ledger.reserve(next)
    expect(await month()).toMatchObject({ used: 2, reserved: 3 })
    expect(await told('settled')).toBe(1)
    expect(await ledger.reserve({ ...request, reservationId: 'other' })).toMatchObject({ kind: 'answered' })
  })
})
