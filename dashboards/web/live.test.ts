import { afterEach, describe, expect, it } from 'vitest'
import { DecimalString } from '../../core/brands.ts'
import { addMs } from '../../core/time.ts'
import { price, run, scopeStatus, start } from './fakes.contract.ts'
import { begin, endAll, listen } from './world.contract.ts'

afterEach(endAll)

const at = (i: number) => price({ at: addMs(start, i), price: DecimalString(`${i}.50`) })

describe('events', () => {
  it('begins with hello, the quota and the runs, then sends each change with its id', async () => {
    const { web, store, status } = await begin()
    status.scopes = [scopeStatus()]
    status.ran = [run()]
    store.add(at(1))
    const client = await listen(web)
    expect(await client.read()).toEqual({
      event: 'hello',
      id: '1',
      data: { at: '2026-11-21T13:00:00.000123Z', resumed: false, position: 1 },
    })
    expect((await client.next('quota')).data.scopes[0].plan).toBe('basic')
    expect((await client.next('runs')).data.runs[0].outcome).toBe('collected')
    store.add(at(2), { ...at(3), symbol: '<img src=x onerror=alert(1)>\n\ndata: forged' })
    const event = await client.next('prices')
    expect(event.id).toBe('2')
    expect(event.data.prices.map((p: { price: string }) => p.price)).toEqual(['2.50', '3.50'])
    expect(event.data.prices[1].symbol).toBe('<img src=x onerror=alert(1)>\n\ndata: forged')
    client.leave()
  })

  it('goes on after Last-Event-ID without a hole and without a doubled event, over many pages', async () => {
    const { web, store } = await begin()
    for (let i = 1; i <= 450; i += 1) store.add(at(i))
    const client = await listen(web, { 'last-event-id': '3' })
    expect((await client.next('hello')).data).toMatchObject({ resumed: true, position: 3 })
    const ids: string[] = []
    for (let i = 4; i <= 450; i += 1) ids.push((await client.next('prices')).id ?? '')
    store.add(at(451))
    ids.push((await client.next('prices')).id ?? '')
    expect(ids).toEqual(Array.from({ length: 448 }, (_, i) => String(i + 4)))
    client.leave()
  })

  it('tells a client that is behind what is kept, ahead of it or talks nonsense to load anew', async () => {
    const { web, store } = await begin()
    for (let i = 1; i <= 10; i += 1) store.add(at(i))
    store.forget(5)
    for (const [given, resumed, position] of [
      ['4', false, 10],
      ['5', true, 5],
      ['10', true, 10],
      ['11', false, 10],
      ['-1', false, 10],
      ['1e3', false, 10],
      ['x', false, 10],
      ['99999999999999999999', false, 10],
    ] as const) {
      const client = await listen(web, { 'last-event-id': given })
      expect([given, (await client.next('hello')).data]).toMatchObject([given, { resumed, position }])
      client.leave()
    }
  })

  it('reads each change once for all clients at the same place', async () => {
    const { web, store } = await begin()
    store.add(at(1))
    const clients = await Promise.all([1, 2, 3, 4].map(() => listen(web)))
    await Promise.all(clients.map(client => client.next('runs')))
    const before = store.changesReads
    store.add(at(2))
    for (const client of clients) expect((await client.next('prices')).id).toBe('2')
    expect(store.changesReads - before).toBe(1)
    for (const client of clients) client.leave()
  })

  it('sends quota and runs again when they have changed, and not otherwise', async () => {
    const { web, status, store, clock } = await begin()
    const client = await listen(web)
    await client.next('runs')
    status.ran = [run({ outcome: 'rate-limited' })]
    store.add(at(1))
    expect((await client.read())?.event).toBe('prices')
    await moveUntil(clock, 1_000, 1)
    const next = await client.read()
    expect([next?.event, next?.data.runs[0].outcome]).toEqual(['runs', 'rate-limited'])
    expect(next?.id).toBeUndefined()
    client.leave()
  })

  it('pings, so that a dead line is noticed', async () => {
    const { web, clock } = await begin()
    const client = await listen(web)
    await client.next('runs')
    await moveUntil(clock, 1_000, 10)
    expect((await client.read())?.event).toBe('ping')
    client.leave()
  })

  it('goes on with prices while the ledger can not be read', async () => {
    const { web, status, store, logged } = await begin()
    status.error = new Error('no ledger')
    const client = await listen(web)
    store.add(at(1))
    expect((await client.next('prices')).id).toBe('1')
    expect(logged[0]).toContain('no ledger')
    client.leave()
  })

  it('ends with the server', async () => {
    const { web } = await begin()
    const client = await listen(web)
    await client.next('runs')
    await web.close()
    await expect(client.next('never')).rejects.toThrow()
  })

  it('stops listening to the feed when it is closed', async () => {
    const { web, store } = await begin()
    expect(store.listeners.size).toBe(1)
    await web.close()
    expect(store.listeners.size).toBe(0)
  })
})

/** Moves the clock step by step and lets the server's timer loop run in between. */
async function moveUntil(clock: { advance(ms: number): void }, stepMs: number, steps: number): Promise<void> {
  for (let i = 0; i < steps; i += 1) {
    clock.advance(stepMs)
    for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate)
  }
}
