import type { BenchLine } from './line.ts'
import { removeMovers } from './stack/built-movers.ts'
import { makeWork } from './stack/data.ts'
import { fillTopic } from './stack/fill.ts'
import type { Load } from './stack/moving.ts'
import { benchCassandra, benchCassandraLive } from './stack/part-cassandra.ts'
import { benchFreshness } from './stack/part-freshness.ts'
import { benchInflux } from './stack/part-influx.ts'
import { benchPublish } from './stack/part-publish.ts'
import { benchRss } from './stack/part-rss.ts'
import { type BenchServers, openServers } from './stack/servers.ts'
import { stackSettings } from './stack/settings.ts'

type Part = (servers: BenchServers, loads: Loads) => Promise<BenchLine[]>

const { rows, liveRows } = stackSettings
/** Each asks for the rows that it moves: freshness and publish bring their own. */
const parts: Readonly<Record<string, Part>> = {
  influx: async (servers, loads) => benchInflux(servers, await loads.of(rows)),
  cassandra: async (servers, loads) => benchCassandra(servers, await loads.of(rows)),
  live: async (servers, loads) => benchCassandraLive(servers, await loads.of(liveRows)),
  rss: async (servers, loads) => benchRss(servers, await loads.of(rows)),
  freshness: benchFreshness,
  publish: benchPublish,
}

/**
 * The product on real servers against plain loops of the same clients, in the same minutes on the same machine. Without the toolchain
 * of the servers it says that it was not run.
 */
export async function benchStack(): Promise<BenchLine[]> {
  const servers = await openServers()
  if (typeof servers === 'string')
    return [{ name: 'stack', value: 0, unit: 'run', bar: 1, ok: false, note: `not run: ${servers}` }]
  try {
    const loads = new Loads(servers)
    const lines: BenchLine[] = []
    for (const name of stackSettings.parts) lines.push(...(await linesOf(name, servers, loads)))
    return lines
  } finally {
    await removeMovers()
    await servers.close()
  }
}

/** A part that fails is a line that is not met, and the others go on. */
async function linesOf(name: string, servers: BenchServers, loads: Loads): Promise<BenchLine[]> {
  try {
    const part = parts[name]
    if (!part) throw new Error(`no such part: ${Object.keys(parts).join(', ')}`)
    const lines = await part(servers, loads)
    for (const line of lines) console.error(JSON.stringify(line))
    return lines
  } catch (error) {
    const note = `not measured: ${error instanceof Error ? error.message : String(error)}`
    console.error(error)
    return [{ name: `stack-${name}`, value: 0, unit: 'run', bar: 1, ok: false, note }]
  }
}

/** Topics by their number of rows, each filled when it is wanted first. */
class Loads {
  readonly #servers: BenchServers
  readonly #filled = new Map<number, Promise<Load>>()
  constructor(servers: BenchServers) {
    this.#servers = servers
  }

  of(rows: number): Promise<Load> {
    const load = this.#filled.get(rows) ?? loadOf(this.#servers, rows)
    this.#filled.set(rows, load)
    return load
  }
}

/** A topic with the work in it, under a name that no other run has. */
async function loadOf(servers: BenchServers, rows: number): Promise<Load> {
  const prefix = `bench-${process.pid}-${rows}.`
  const work = makeWork(rows)
  const { ends, meanBytes } = await fillTopic(servers.kafka.brokers, prefix, work.messages)
  const load = { prefix, ends, rows, priceSum: work.priceSum(), meanBytes }
  console.error(
    `${rows} quotes of ${Math.round(meanBytes)} bytes in ${prefix}*, partitions ${ends.join(' ')}`,
  )
  return load
}

if (import.meta.main) for (const line of await benchStack()) console.log(JSON.stringify(line))
