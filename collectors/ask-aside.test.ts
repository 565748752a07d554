import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { askCatalog } from './catalog.ts'
import type { Pace, Turn } from './pace.ts'
import { coinpaprika } from './providers/coinpaprika/index.ts'
import { noPace, openTestPoll } from './testing/test-poll.ts'

const signal = new AbortController().signal

/** A list of assets that costs a credit, from a server that breaks each connection, or from nobody. */
async function ask(server: 'breaks' | 'nobody', pace: Pace = noPace) {
  const listener = createServer(request => request.socket.destroy())
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`
  if (server === 'nobody') await new Promise(resolve => listener.close(resolve))
  await using test = await openTestPoll(origin)
  const source = await test.source(coinpaprika, origin)
  const result = await askCatalog({ ...test.ports, pace }, source, signal)
  const [scope] = await test.ledger.status(test.clock.now())
  if (server === 'breaks') await new Promise(resolve => listener.close(resolve))
  return { result, used: scope?.windows.find(w => w.window === 'month')?.used }
}

it('costs nothing where nothing left, and its full price where nobody knows what became of it', async () => {
  const refused = { kind: 'refused', outcome: 'transport-error' }
  const unsent = await ask('nobody')
  expect(unsent).toMatchObject({ result: refused, used: 0 })
  const lost = await ask('breaks')
  expect(lost).toMatchObject({ result: refused, used: coinpaprika.catalog?.costMax })
  expect(lost.used).toBeGreaterThan(0)
})

it("waits for its turn in the provider's pace", async () => {
  const turns: Turn[] = []
  const schedule: Pace['schedule'] = (turn, work) => {
    turns.push(turn)
    return work()
  }
  await ask('nobody', { ...noPace, schedule })
  expect(turns).toMatchObject([{ name: 'coinpaprika', minTimeMs: coinpaprika.keyless?.minTimeMs }])
})
