import { systemClock } from '../../host/clock.ts'
import { openKafkaBroker } from '../../topics/brokers/kafka.ts'
import { topicTable } from '../../topics/table.ts'
import { type BenchLine, median, round } from '../line.ts'
import { aaLine, interleaved, ratioOf, tell } from './rounds.ts'
import { runMover } from './run-mover.ts'
import type { BenchServers } from './servers.ts'
import { stackSettings, topicName } from './settings.ts'

const subjects = ['bare-publish', 'ours-publish', 'bare-again'] as const
const mostRows = 250_000

interface Sent {
  readonly rowsPerSecond: number
  readonly cpuSecondsPerMillion: number
}

/** [publish-rows]: the product's producing and a bare send loop by the same rule, 500 records a partition and call. */
export async function benchPublish(servers: BenchServers): Promise<BenchLine[]> {
  const rows = Math.min(mostRows, stackSettings.rows)
  const found = await interleaved(subjects, stackSettings.rounds, async (name, at) => {
    const sent = await sendOnce(servers, name === 'bare-again' ? 'bare-publish' : name, `${name}-${at}`, rows)
    console.error(
      `${at === 0 ? 'warm-up' : `round ${at}`} ${name}: ${Math.round(sent.rowsPerSecond)} records/s`,
    )
    return sent
  })
  const rate = (name: (typeof subjects)[number]) => found[name].map(r => r.rowsPerSecond)
  const cpu = (name: (typeof subjects)[number]) => found[name].map(r => r.cpuSecondsPerMillion)
  const ours = ratioOf(rate('ours-publish'), rate('bare-publish'), rate('bare-again'))
  const oursCpu = ratioOf(cpu('ours-publish'), cpu('bare-publish'), cpu('bare-again'))
  const perSecond = `records/s: ours ${Math.round(median(rate('ours-publish')))}, bare ${Math.round(median(rate('bare-publish')))}`
  return [
    aaLine('publish-aa', ratioOf(cpu('bare-again'), cpu('bare-publish'))),
    {
      name: 'publish-rows',
      value: round(ours.median, 2),
      unit: 'x bare loop',
      bar: 0.8,
      ok: ours.median >= 0.8,
      note: `${tell(ours)}; ${perSecond}; CPU ${tell(oursCpu)}`,
    },
  ]
}

async function sendOnce(servers: BenchServers, mover: string, name: string, rows: number): Promise<Sent> {
  const { brokers } = servers.kafka
  const topicPrefix = `bench-${process.pid}-${name}.`
  const options = { brokers, topicPrefix, replication: 1, minInsyncReplicas: 1, clock: systemClock }
  const broker = await openKafkaBroker(options)
  try {
    await broker.createTopics([{ ...topicTable().quotes, retentionMs: 36_500 * 86_400_000 }])
    const task = { brokers, topicPrefix, topic: topicName, group: '', ends: [] }
    const run = await runMover(mover, { ...task, sliceRows: rows })
    const stored = (await broker.partitions(topicName)).reduce((sum, p) => sum + p.end - p.begin, 0)
    if (stored !== run.rows) throw new Error(`${mover}: ${stored} records of ${run.rows} are in the topic`)
    return run.more as unknown as Sent
  } finally {
    await broker.close()
  }
}
