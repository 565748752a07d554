import { type BenchLine, median, round } from '../line.ts'
import { InfluxStore } from './influx-store.ts'
import { type Load, type MovedRun, move, progress } from './moving.ts'
import { aaLine, interleaved, ratioOf, tell } from './rounds.ts'
import type { BenchServers } from './servers.ts'
import { stackSettings } from './settings.ts'

const subjects = ['bare-influx', 'ours-influx', 'point-influx', 'bare-again'] as const

/** [kafka-influx-cpu] and [kafka-influx-rows]: the product, the plain loop (twice: A/A) and the official client's Point path. */
export async function benchInflux(servers: BenchServers, load: Load): Promise<BenchLine[]> {
  const store = new InfluxStore(servers.influxdb.url)
  const found = await interleaved(subjects, stackSettings.rounds, async (name, at) => {
    const database = `bench_${name.replace('-', '_')}_${at}`
    await store.create(database)
    try {
      const run = await move(servers, load, {
        mover: name === 'bare-again' ? 'bare-influx' : name,
        group: name === 'ours-influx' ? 'sink.influxdb' : `${name}.${at}`,
        sliceRows: 5_000,
        store: { influx: { url: servers.influxdb.url, database } },
        storePid: servers.influxdb.pid,
        count: () => store.count(database),
      })
      console.error(progress(name, at, run))
      return run
    } finally {
      await store.drop(database)
    }
  })
  return linesOf(found, load)
}

function linesOf(found: Record<(typeof subjects)[number], readonly MovedRun[]>, load: Load): BenchLine[] {
  const cpu = (name: (typeof subjects)[number]) => found[name].map(r => r.cpuMs)
  const rate = (name: (typeof subjects)[number]) => found[name].map(r => r.rowsPerSecond)
  const perMillion = (values: readonly number[]) => round((median(values) / load.rows) * 1_000)
  const bare = cpu('bare-influx')
  const ours = ratioOf(cpu('ours-influx'), bare, cpu('bare-again'))
  const point = ratioOf(cpu('ours-influx'), cpu('point-influx'))
  const rows = ratioOf(rate('ours-influx'), rate('bare-influx'), rate('bare-again'))
  return [
    aaLine('kafka-influx-aa', ratioOf(cpu('bare-again'), bare)),
    {
      name: 'kafka-influx-cpu',
      value: round(ours.median, 2),
      unit: 'x bare loop',
      bar: 1.6,
      ok: ours.median <= 1.6 && point.median < 1,
      note: `${tell(ours)}; ${tell(point)} of the Point path (bar below 1); CPU-s per 1 M rows: ours ${perMillion(cpu('ours-influx'))}, bare ${perMillion(bare)}, Point ${perMillion(cpu('point-influx'))}`,
    },
    {
      name: 'kafka-influx-rows',
      value: round(rows.median, 2),
      unit: 'x bare loop',
      bar: 0.7,
      ok: rows.median >= 0.7,
      note: `${tell(rows)}; rows/s: ours ${Math.round(median(rate('ours-influx')))}, bare ${Math.round(median(rate('bare-influx')))}, Point ${Math.round(median(rate('point-influx')))}`,
    },
  ]
}
