import { afterEach, describe, expect, it } from 'vitest'
import { VirtualClock } from '../../core/virtual-clock.ts'
import { FakeStatus, FakeStore, price, start } from './fakes.contract.ts'
import { startWeb, type Web, type WebOptions } from './server.ts'

const open: Web[] = []
afterEach(async () => {
  for (const web of open.splice(0)) await web.close()
})

async function begin(options: Partial<WebOptions> = {}) {
  const store = new FakeStore()
  const status = new FakeStatus()
  const clock = new VirtualClock(start)
  const web = await startWeb({
    port: 0,
    reader: store,
    status,
    feed: store,
    clock,
    simulated: null,
    version: '0.0.0',
    ...options,
  })
  open.push(web)
  return { store, status, clock, web }
}

describe('startWeb', () => {
  it('answers latest', async () => {
    const { web, store } = await begin()
    store.add(price())
    const answer = await fetch(`${web.url}api/v1/latest?asset=BTC`)
    console.log(answer.status, await answer.text(), answer.headers)
    expect(answer.status).toBe(200)
    const bad = await fetch(`${web.url}api/v1/latest?asset=nope`)
    console.log(bad.status, await bad.text())
    const events = await fetch(`${web.url}api/v1/events`)
    const reader = events.body!.getReader()
    console.log(new TextDecoder().decode((await reader.read()).value))
    await reader.cancel()
  })
})
