import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../host/clock.ts'
import { startSandbox } from '../../sandbox/server.ts'
import { kafkaBrokers } from '../../scripts/stack/probes.ts'
import { servedEntries, servedPrices, storedPrices } from '../support/judge.ts'
import { runCryptos, startCryptos, until } from '../support/program.ts'
import { seededRandom } from '../support/random.ts'
import { killServer, restartServer, stackServers, stopServer, wakeServer } from './servers.ts'
import { expectAllStored } from './support/all-stored.ts'
import { end, openWorld, servedStores } from './support/world.ts'

/** Outages of the broker below a program that collects and stores all the time; `npm run test:soak` has the hundreds. */
const outages = Math.ceil(Number(process.env['CRYPTOS_KILLS'] ?? 20) / 2)
const broker = 'kafka'
const port = Number(stackServers().kafka.brokers[0]?.split(':')[1])
const answers = async (): Promise<boolean> => (await kafkaBrokers(port)).length > 0

interface Tally {
  killed: number
  restarted: number
  hung: number
}

/** One outage, which lasts until the program has told it, and some seconds; it is over when it resolves. */
async function outage(kind: keyof Tally, isTold: () => Promise<boolean>, ms: number): Promise<void> {
  if (kind === 'restarted') return restartServer(broker)
  if (kind === 'killed') await killServer(broker)
  else await stopServer(broker)
  expect(await answers()).toBe(false)
  await until(isTold)
  await sleep(ms)
  if (kind === 'killed') return restartServer(broker)
  await wakeServer(broker)
  await until(answers)
}

/** What /health says of the program, which a monitor would see. */
async function healthOf(url: string): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(new URL('/health', url))
  return { status: response.status, text: await response.text() }
}

/** Prices by source with their digits, but without the time: Kraken tells none, so a row has that of its receipt. */
const withoutTime = (prices: ReadonlyMap<string, string>): string[] =>
  [...prices].map(([key, price]) => `${key.slice(0, key.lastIndexOf('|'))} ${price}`)

/** Whether all of `part` is in `whole`, each as often at most. */
function lacking(part: readonly string[], whole: readonly string[]): string[] {
  const left = Map.groupBy(whole, each => each)
  return part.filter(each => left.get(each)?.pop() === undefined)
}

// Alone some two minutes; a machine that does much else at the time needs more.
describe('a broker that goes away below everything', { timeout: 900_000 }, () => {
  it(`${outages} times, killed, restarted or hung, loses no answer that was got, and doubles none`, async () => {
    await using sandbox = Object.assign(await startSandbox({ clock: systemClock }), {
      [Symbol.asyncDispose]: () => sandbox.close(),
    })
    await using world = await openWorld('broker', {
      CRYPTOS_SANDBOX_URL: sandbox.url,
      CRYPTOS_PROVIDERS: 'coinmarketcap,kraken,coinbase',
      CRYPTOS_LOG_LEVEL: 'warn',
    })
    const tally: Tally = { killed: 0, restarted: 0, hung: 0 }
    const random = seededRandom(20_261_121)
    const up = startCryptos(['up', '--port', '0', '--json'], world.env)
    let stopAt = systemClock.now()
    const calls = (): number => servedEntries(sandbox.meter).length
    try {
      await up.says('"url"')
      const { url } = JSON.parse(up.said.stdout) as { url: string }
      const isTold = async (): Promise<boolean> => {
        const { status, text } = await healthOf(url)
        return status === 503 && text.includes(`Kafka at 127.0.0.1:${port}`)
      }
      for (let i = 0; i < outages; i += 1) {
        const kind = i % 5 === 3 ? 'restarted' : i % 5 === 4 ? 'hung' : 'killed'
        const before = calls()
        await sleep(500 + random() * 3_000)
        await outage(kind, isTold, random() * 3_000)
        tally[kind] += 1
        // It goes on collecting, with nobody's help.
        await until(() => calls() > before || up.child.exitCode !== null)
        expect(up.child.exitCode, up.said.stderr).toBeNull()
      }
      // And says that it is well, once it is.
      await until(async () => (await healthOf(url)).status === 200)
      stopAt = systemClock.now()
    } finally {
      await end(up)
    }
    // What was on its way when it was told to end is settled as unknown, and need not be there.
    const surely = servedPrices(servedEntries(sandbox.meter).filter(each => each.at < stopAt - 5_000_000))
    const served = withoutTime(servedPrices(servedEntries(sandbox.meter)))
    expect((await up.ended).code, up.said.stderr).toBe(0)
    expect(up.said.stderr).toContain('CRY_SERVER_UNREACHABLE')

    const { code, stdout, stderr } = await runCryptos(['publish'], world.env)
    expect(code, stdout + stderr).toBe(0)
    const storing = world.process()
    // What `up` has stored needs nothing of it: it must have begun before it is told to end.
    await storing.says('Storing into')
    for (const store of servedStores) {
      const stored = async (): Promise<string[]> => withoutTime(storedPrices(await world.rows(store)))
      await until(async () => lacking(withoutTime(surely), await stored()).length === 0)
      expect(lacking(await stored(), served), store).toEqual([])
    }
    // Also what was worked out of them last, which nobody served.
    await expectAllStored(world.env, storing)
    expect((await end(storing)).code).toBe(0)
    console.log(
      `${JSON.stringify(tally)} outages of Kafka, ${calls()} answers, ${surely.size} prices in both stores`,
    )
    expect(surely.size).toBeGreaterThan(outages)
  })
})
