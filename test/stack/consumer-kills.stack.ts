import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { topics } from '../../app/stores.ts'
import { quoteId } from '../../core/records.ts'
import { quoteJson } from '../../topics/codecs/quote-json.ts'
import { seededRandom } from '../support/random.ts'
import { end, expectedHash, hashOf, openWorld, servedStores, type World } from './support/world.ts'

/** `npm run test:soak` has the hundreds. */
const kills = Number(process.env['CRYPTOS_KILLS'] ?? 20)
const small = { CRYPTOS_BATCH_MAX_RECORDS: '100', CRYPTOS_BATCH_MAX_AGE_MS: '20' }

/** Both stores hold exactly the first `count` numbered quotes, with every field. */
async function expectStored(world: World, count: number): Promise<void> {
  for (const store of servedStores) {
    await world.holds(store, count)
    expect(hashOf(await world.rows(store)), store).toBe(expectedHash(count))
  }
}

/** What a group has committed is durable in its store: nothing behind its offset is missing there. */
async function expectCommittedIsStored(world: World): Promise<number> {
  let checked = 0
  for (const store of servedStores) {
    const ids = new Set((await world.rows(store)).map(quoteId))
    const committed = new Map(
      (await world.broker.committed(`sink.${store}`)).map(c => [c.partition, c.offset]),
    )
    for await (const { partition, offset, value } of world.broker.read(topics.quotes.name, { offset: 0 })) {
      if (offset >= (committed.get(partition) ?? 0) || value === null) continue
      checked += 1
      expect(ids.has(quoteId(quoteJson.decode(value))), `${store} ${partition}/${offset}`).toBe(true)
    }
  }
  return checked
}

describe('a consumer that dies', () => {
  it(`${kills} times with kill -9 loses nothing and doubles nothing`, async () => {
    await using world = await openWorld('kills', small)
    const random = seededRandom(20_261_121)
    const told = { atStep: 0, atRandom: 0, checked: 0 }
    let produced = 0
    for (let i = 0; i < kills; i += 1) {
      await world.produce(produced, 400)
      produced += 400
      const step = ['stored', 'committed'][i % 2] ?? ''
      const atStep = i % 4 < 2 ? { AT_STEP: `${step}:${1 + Math.floor(random() * 6)}` } : {}
      const running = world.process(undefined, atStep)
      if ('AT_STEP' in atStep) {
        const { signal, code, stderr } = await running.ended
        expect(signal, `kill ${i} at ${atStep.AT_STEP}: exit ${code} ${stderr}`).toBe('SIGKILL')
        told.atStep += 1
      } else {
        await running.says('Storing into')
        await sleep(400 + random() * 1_200)
        expect((await end(running, 'SIGKILL')).signal).toBe('SIGKILL')
        told.atRandom += 1
      }
      if (i % 5 === 0) told.checked += await expectCommittedIsStored(world)
    }
    const last = world.process()
    await expectStored(world, produced)
    await end(last)
    console.log(
      `${kills} kills -9 of the consumer (${told.atStep} right after a batch was stored or committed, ${told.atRandom} at random), ${produced} quotes in both stores, each once; ${told.checked} committed records looked up`,
    )
    expect(told.atStep + told.atRandom).toBe(kills)
    expect(told.checked).toBeGreaterThan(0)
  })

  it('ends within 10 s of SIGTERM in the middle of a backlog, with exit 0 and nothing committed that is not stored', async () => {
    await using world = await openWorld('sigterm', small)
    await world.produce(0, 8_000)
    const running = world.process()
    await running.says('Storing into')
    while ((await world.rows('cassandra')).length === 0) await sleep(50)
    const since = performance.now()
    const { code, stderr } = await end(running)
    const tookMs = performance.now() - since
    const stored = (await world.rows('cassandra')).length
    console.log(`SIGTERM with ${stored} of 8000 stored: exit ${code} after ${Math.round(tookMs)} ms`)
    expect(code, stderr).toBe(0)
    expect(tookMs).toBeLessThan(10_000)
    // Else it was not in the middle.
    expect(stored).toBeLessThan(8_000)
    await expectCommittedIsStored(world)
    const again = world.process()
    await expectStored(world, 8_000)
    await end(again)
  })

  it('and is told to go back stores the same rows again, and ends in the same state', async () => {
    await using world = await openWorld('rewind', small)
    await world.produce(0, 2_000)
    const first = world.process()
    await expectStored(world, 2_000)
    await end(first)
    const again = world.process(['--no-judge', '--rewind', '365d'], { CRYPTOS_LOG_LEVEL: 'debug' })
    const haveAll = (): number => again.said.stderr.split('"received":2000').length - 1
    for (let i = 0; i < 400 && haveAll() < servedStores.length; i += 1) await sleep(300)
    // A third time would come now.
    await sleep(3_000)
    const { stdout } = await end(again)
    const [, written, superseded] = /stored (\d+), superseded (\d+)/.exec(stdout) ?? []
    const received = Number(written) + Number(superseded)
    expect(received).toBe(2 * 2_000)
    await expectStored(world, 2_000)
  })

  it('joins and leaves every few seconds while another goes on, and there is progress all the time', async () => {
    await using world = await openWorld('joins', small)
    const steady = world.process()
    const rounds = 4
    for (let i = 0; i < rounds; i += 1) {
      const guest = world.process()
      await guest.says('Storing into')
      await world.produce(i * 500, 500)
      await sleep(4_000)
      expect((await end(guest)).code).toBe(0)
      await expectStored(world, (i + 1) * 500)
    }
    await end(steady)
    console.log(`${rounds} times a second consumer joined and left`)
  })
})
