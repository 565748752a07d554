import { type BenchLine, median, round } from '../line.ts'
import { CassandraStore, makeTables } from './cassandra-store.ts'
import { type Load, type MovedRun, move, progress } from './moving.ts'
import { aaLine, interleaved, ratioOf, tell } from './rounds.ts'
import type { BenchServers } from './servers.ts'
import { stackSettings } from './settings.ts'

const subjects = ['bare-cassandra', 'ours-cassandra', 'bare-again'] as const
type Subject = (typeof subjects)[number]
type Found = Readonly<Record<Subject, readonly MovedRun[]>>

interface Batches {
  readonly name: string
  /** Where it is not the default of the product. */
  readonly ours?: number
  readonly bare: number
}

/** [kafka-cassandra-cpu] and [kafka-cassandra-store-cpu]: the product and the loop with batches of one partition (twice: A/A). */
export async function benchCassandra(servers: BenchServers, load: Load): Promise<BenchLine[]> {
  // The loop writes all that a fetch brought of a partition at once, as the fastest of its settings did.
  const whole = { name: 'all', bare: 1_000_000 }
  const found = await rounds(servers, load, whole)
  const [mover, store, rate] = ratiosOf(found)
  return [
    aaLine('kafka-cassandra-aa', aaOf(found)),
    {
      name: 'kafka-cassandra-cpu',
      value: round(mover.median, 2),
      unit: 'x bare loop',
      bar: 1.3,
      ok: mover.median <= 1.3,
      note: `${tell(mover)}; ${figures(found, load, r => r.cpuMs)}; rows/s ${tell(rate)}`,
    },
    {
      name: 'kafka-cassandra-store-cpu',
      value: round(store.median, 2),
      unit: 'x bare loop',
      bar: 1.1,
      ok: store.median <= 1.1,
      note: `${tell(store)}; ${figures(found, load, r => r.storeCpuMs)}`,
    },
  ]
}

/** Rows of one poll in each partition: a batch holds one or two rows of a series, as it does when the product keeps up. */
const liveRows = 225

/** [kafka-cassandra-live]: the same where a batch has 1 to 2 rows of a series, so that nearly every row is a statement of its own. */
export async function benchCassandraLive(servers: BenchServers, load: Load): Promise<BenchLine[]> {
  const found = await rounds(servers, load, { name: 'live', ours: liveRows, bare: liveRows })
  const [mover, store, rate] = ratiosOf(found)
  const note = `${liveRows} rows a batch; ${figures(found, load, r => r.cpuMs)}; Cassandra's CPU ${tell(store)}, rows/s ${tell(rate)}`
  const value = round(mover.median, 2)
  return [{ name: 'kafka-cassandra-live', value, unit: 'x bare loop', bar: null, ok: true, note }]
}

async function rounds(servers: BenchServers, load: Load, batches: Batches): Promise<Found> {
  const keyspace = `bench_${process.pid}_${batches.name}`
  const store = await CassandraStore.open(servers.cassandra, keyspace)
  await makeTables(store.place)
  try {
    return await interleaved(subjects, stackSettings.rounds, async (name, at) => {
      await store.empty(['quotes', 'latest', 'series'])
      const isOurs = name === 'ours-cassandra'
      const run = await move(servers, load, {
        mover: isOurs ? name : 'bare-cassandra',
        group: isOurs ? 'sink.cassandra' : `${batches.name}.${name}.${at}`,
        ...(batches.ours === undefined ? {} : { maxRecords: batches.ours }),
        sliceRows: batches.bare,
        store: { cassandra: store.place },
        storePid: servers.cassandra.pid,
        count: () => store.count('price_double'),
      })
      console.error(progress(`${name} (${batches.name})`, at, run))
      return run
    })
  } finally {
    await store.drop()
  }
}

function ratiosOf(found: Found) {
  const of = (value: (run: MovedRun) => number) =>
    ratioOf(
      ...([found['ours-cassandra'], found['bare-cassandra'], found['bare-again']].map(runs =>
        runs.map(value),
      ) as [number[], number[], number[]]),
    )
  return [of(r => r.cpuMs), of(r => r.storeCpuMs), of(r => r.rowsPerSecond)] as const
}

const aaOf = (found: Found) =>
  ratioOf(
    found['bare-again'].map(r => r.cpuMs),
    found['bare-cassandra'].map(r => r.cpuMs),
  )

const figures = (found: Found, load: Load, value: (run: MovedRun) => number): string => {
  const perMillion = (name: Subject) => round((median(found[name].map(value)) / load.rows) * 1_000)
  return `CPU-s per 1 M rows: ours ${perMillion('ours-cassandra')}, bare ${perMillion('bare-cassandra')}`
}
