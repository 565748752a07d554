import { type BenchLine, median, round } from '../line.ts'
import { CassandraStore, makeTables } from './cassandra-store.ts'
import { InfluxStore } from './influx-store.ts'
import { forgetGroup, type Load } from './moving.ts'
import { runMover } from './run-mover.ts'
import type { BenchServers } from './servers.ts'
import { topicName } from './settings.ts'

const barMb = 250
/** The last quarter of the run may stand so far above its second quarter. */
const flat = 1.1

/** [process-rss]: the process that moves every quote into both stores, from start to end. */
export async function benchRss(servers: BenchServers, load: Load): Promise<BenchLine[]> {
  const name = `bench_${process.pid}_rss`
  const influx = new InfluxStore(servers.influxdb.url)
  const cassandra = await CassandraStore.open(servers.cassandra, name)
  await makeTables(cassandra.place)
  await influx.create(name)
  for (const group of ['sink.influxdb', 'sink.cassandra']) await forgetGroup(servers, load, group)
  try {
    const run = await runMover('ours-both', {
      ...{ brokers: servers.kafka.brokers, topicPrefix: load.prefix, topic: topicName, group: '' },
      ...{ ends: load.ends, sliceRows: 0 },
      ...{ influx: { url: servers.influxdb.url, database: name }, cassandra: cassandra.place },
    })
    const stored = [await influx.count(name), await cassandra.count('price_double')].map(s => s.rows)
    const samples = run.rssSamplesMb
    const quarter = (n: number) => samples.slice((samples.length * (n - 1)) / 4, (samples.length * n) / 4)
    const growth = median(quarter(4)) / median(quarter(2))
    return [
      {
        name: 'process-rss',
        value: round(run.rssPeakMb),
        unit: 'MB',
        bar: barMb,
        ok: run.rssPeakMb < barMb && growth <= flat && stored.every(rows => rows === load.rows),
        note: `peak; both stores in one process, ${stored.join(' + ')} rows in ${round(run.wallMs / 1_000)} s; last quarter ${round(growth, 2)} of the second (bar ${flat})`,
      },
    ]
  } finally {
    await influx.drop(name)
    await cassandra.drop()
  }
}
