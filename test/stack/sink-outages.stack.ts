import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { killServer, proxyOf, restartServer } from './servers.ts'
import { end, expectedHash, hashOf, openWorld, servedStores, type World } from './support/world.ts'

/** Kills of each store; `npm run test:soak` has the hundreds. */
const kills = Number(process.env['CRYPTOS_KILLS'] ?? 20) / 4
const small = { CRYPTOS_BATCH_MAX_RECORDS: '100', CRYPTOS_BATCH_MAX_AGE_MS: '20', CRYPTOS_LOG_LEVEL: 'warn' }
/** A store is back to no lag within so long after its server answers again. */
const recoveryMs = 30_000

async function expectAll(world: World, count: number, limitMs = recoveryMs): Promise<void> {
  for (const store of servedStores) {
    await world.holds(store, count, limitMs)
    expect(hashOf(await world.rows(store)), store).toBe(expectedHash(count))
  }
}

describe('a store that goes away', () => {
  it.each(servedStores)(
    '%s, killed again and again, is filled by itself, and the other never waits',
    async store => {
      await using world = await openWorld('outage', small)
      const other = store === 'cassandra' ? 'influxdb' : 'cassandra'
      const running = world.process()
      let produced = 0
      for (let i = 0; i < kills; i += 1) {
        await world.produce(produced, 1_000)
        produced += 1_000
        await sleep(50 + 100 * i)
        await killServer(store)
        await world.produce(produced, 1_000)
        produced += 1_000
        await world.holds(other, produced, recoveryMs)
        await restartServer(store)
        await expectAll(world, produced)
        expect(running.child.exitCode).toBeNull()
      }
      const { code, stderr } = await end(running)
      console.log(`${kills} kills -9 of ${store}, ${produced} quotes in both stores, each once`)
      expect(code).toBe(0)
      expect(stderr).toContain(`sink.${store}`)
    },
  )

  it('that is not there at the start is filled as soon as it is', async () => {
    await using world = await openWorld('late', small)
    await world.produce(0, 500)
    await killServer('influxdb')
    const running = world.process()
    await world.holds('cassandra', 500, recoveryMs)
    await restartServer('influxdb')
    // The pause between two tries to open it is at most 30 s.
    await expectAll(world, 500, 2 * recoveryMs)
    expect((await end(running)).code).toBe(0)
  })

  it('behind a network that is cut for a while, and slow, and loses answers, has every row once', async () => {
    const influx = await proxyOf('influxdb')
    await using world = await openWorld('network', {
      ...small,
      CRYPTOS_INFLUXDB_URL: `http://${influx.address}`,
    })
    const running = world.process()
    let produced = 0
    const produce = async (count: number): Promise<void> => {
      await world.produce(produced, count)
      produced += count
    }
    await produce(500)
    await expectAll(world, produced)
    const hits: string[] = []
    // Slow: each write takes 2 s; nobody is thrown out of the group for that.
    const slow = await influx.toxic({ type: 'latency', attributes: { latency: 2_000 } })
    await produce(300)
    await world.holds('cassandra', produced, recoveryMs)
    await sleep(3_000)
    await slow.remove()
    hits.push('slow')
    // Stored, and the answer lost on its way back.
    for (const toxic of [
      { type: 'reset_peer', attributes: { timeout: 0 } },
      { type: 'limit_data', attributes: { bytes: 20 } },
    ]) {
      const lost = await influx.toxic(toxic)
      await produce(300)
      await world.holds('cassandra', produced, recoveryMs)
      await sleep(1_000)
      await lost.remove()
      hits.push(toxic.type)
    }
    await influx.cut()
    await produce(1_000)
    await world.holds('cassandra', produced, recoveryMs)
    await sleep(Number(process.env['CRYPTOS_CUT_MS'] ?? 20_000))
    await influx.heal()
    hits.push('cut')
    await expectAll(world, produced)
    const { code, stderr } = await end(running)
    const told = [...stderr.matchAll(/"name":"sink\.influxdb"/g)].length
    console.log(
      `influxdb behind a network that was ${hits.join(', ')}: ${produced} rows, each once; told ${told} times`,
    )
    expect(code).toBe(0)
    // The cut at least; whether a shorter fault is told depends on how long the writes before it took.
    expect(told).toBeGreaterThanOrEqual(1)
    await influx.close()
  })
})
