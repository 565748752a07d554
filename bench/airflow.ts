import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../host/clock.ts'
import { startSandbox, type Sandbox } from '../sandbox/server.ts'
import { environmentOf } from '../scripts/stack/environment.ts'
import { missingTools } from '../scripts/stack/stack.ts'
import { Airflow, type TaskInstance } from '../test/stack/support/airflow.ts'
import { throwAwayStack } from '../test/stack/throw-away.ts'
import { type BenchLine, median, percentile, round } from './line.ts'
import { packageLayout } from './package-layout.ts'
import { runMs } from './run-ms.ts'

const sweeps = 20
const minutes = Number(process.env['CRYPTOS_BENCH_AIRFLOW_MINUTES'] ?? 5)
/** Task runs that are started by hand each minute, evenly; six more come by the schedule. */
const byHand = 48
const dags = ['kraken', 'coinbase', 'binance', 'bitstamp', 'mempool', 'coinpaprika'] as const
/** Nobody is refused: what is measured is Airflow and the program, not the quota. */
const generous = {
  kraken: { burst: 10_000, perSecond: 1_000 },
  coinbase: { burst: 10_000, perSecond: 1_000 },
}

/** [airflow-task-ours], [airflow-runs-minute]: real Airflow, Kafka, Cassandra, InfluxDB and PostgreSQL on this machine. */
export async function benchAirflow(): Promise<BenchLine[]> {
  const missing = missingTools(['kafka', 'cassandra', 'influxdb', 'postgres', 'airflow'])
  if (missing.length > 0) {
    const note = `not run: ${missing.map(m => m.error.message).join('; ')}`
    return [{ name: 'airflow', value: 0, unit: 'run', bar: 1, ok: false, note }]
  }
  const sandbox = await startSandbox({ clock: systemClock, limits: generous })
  const folder = await packageLayout()
  const program = join(folder, 'bin', 'cryptos.mjs')
  const airflowEnv = {
    CRYPTOS_SOURCE: 'sandbox',
    CRYPTOS_SANDBOX_URL: sandbox.url,
    CRYPTOS_PROVIDERS: dags.join(','),
    CRYPTOS_COMMAND: `${process.execPath} ${program}`,
  }
  const say = (line: string): void => console.error(line)
  const stack = await throwAwayStack({ servers: ['airflow'], airflowEnv, say })
  const { airflow: place, ...servers } = stack.addresses
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('CRYPTOS_'))
  const env = {
    ...Object.fromEntries(own),
    ...environmentOf(servers),
    ...airflowEnv,
    CRYPTOS_LOG_LEVEL: 'silent',
  }
  const storing = spawn(process.execPath, [program, 'process', '--no-judge'], { env, stdio: 'ignore' })
  try {
    if (!place) throw new Error('Airflow did not start')
    const airflow = await Airflow.login(place.url, place.passwordsFile)
    const rows = () => rowsOf(servers.influxdb.url, 'cryptos_sandbox', 'kraken')
    const lines = [await ours(env, program)]
    console.error(JSON.stringify(lines[0]))
    lines.push(await held(airflow, sandbox))
    console.error(JSON.stringify(lines[1]))
    return [...lines, await stored(airflow, rows)]
  } finally {
    storing.kill('SIGTERM')
    await sleep(3_000)
    await stack.stop()
    await sandbox.close()
    rmSync(folder, { recursive: true })
  }
}

/** @throws Error where it does not end with 0 */
async function doneMs(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { ms, code } = await runMs(args, env)
  if (code !== 0) throw new Error(`collect ended with ${code}`)
  return ms
}

/** What an operator starts, from its start to its end: ledger in PostgreSQL, answer, Kafka; and the same with files, beside it. */
async function ours(env: NodeJS.ProcessEnv, program: string): Promise<BenchLine> {
  const dataDir = mkdtempSync(join(tmpdir(), 'cryptos-bench-'))
  const files = { ...env, CRYPTOS_PROFILE: 'embedded', CRYPTOS_DATA_DIR: dataDir }
  const times = { node: [] as number[], full: [] as number[], embedded: [] as number[] }
  for (let i = 0; i <= sweeps; i += 1) {
    const run = ['collect', 'kraken', '--slot', new Date(Date.UTC(2026, 0, 1, 0, i)).toISOString(), '--json']
    const node = await doneMs(['-e', '0'], env)
    const full = await doneMs([program, ...run, '--spender', `bench/${i}`], {
      ...env,
      CRYPTOS_DATA_DIR: dataDir,
    })
    const embedded = await doneMs([program, ...run, '--spender', `bench/${i}`], files)
    // The first makes schema, topics and caches.
    if (i === 0) continue
    times.node.push(node)
    times.full.push(full)
    times.embedded.push(embedded)
  }
  rmSync(dataDir, { recursive: true })
  const [full, embedded, node] = [median(times.full), median(times.embedded), median(times.node)]
  const note = `process start to exit of a collect that calls, settles in PostgreSQL and publishes to Kafka; p90 ${round(percentile(times.full, 0.9))}; with files ${round(embedded)}, \`node -e 0\` ${round(node)}; ${sweeps} each, in turn`
  return { name: 'airflow-task-ours', value: round(full), unit: 'ms', bar: 500, ok: full < 500, note }
}

const startedAfterS = (t: TaskInstance): number =>
  (Date.parse(t.start_date ?? '') - Date.parse(t.dag_run_id.replace(/^[a-z_]+__/, '').slice(0, 32))) / 1_000

/** As many runs as the bar wants, evenly over the minutes; whether those of the end wait longer than those of the beginning. */
async function held(airflow: Airflow, sandbox: Sandbox): Promise<BenchLine> {
  for (const name of dags) await airflow.pause(`collect_${name}`, false)
  await sleep(60_000)
  const beganAt = Date.now()
  const gapMs = 60_000 / byHand
  for (let i = 0; i < minutes * byHand; i += 1) {
    await sleep(Math.max(0, beganAt + i * gapMs - Date.now()))
    await airflow.trigger(`collect_${dags[i % dags.length]}`)
  }
  const endedAt = Date.now()
  const all = (await airflow.tasks()).filter(t => t.end_date !== null)
  const within = all.filter(
    t => Date.parse(t.end_date ?? '') >= beganAt && Date.parse(t.end_date ?? '') <= endedAt,
  )
  const perMinute = (within.length / (endedAt - beganAt)) * 60_000
  const waits = (from: number, to: number): number =>
    median(
      within
        .filter(t => Date.parse(t.end_date ?? '') >= from && Date.parse(t.end_date ?? '') < to)
        .map(startedAfterS)
        .filter(Number.isFinite),
    )
  const half = (beganAt + endedAt) / 2
  const [early, late] = [waits(beganAt, half), waits(half, endedAt + 1)]
  const note = `${within.length} task runs in ${round((endedAt - beganAt) / 60_000)} min, ${byHand} a minute by hand and the schedule of ${dags.length} DAGs; they started after ${round(early)} s (first half), ${round(late)} s (second half); ${sandbox.meter.violations} refusals`
  const isHeld = perMinute >= 40 && late <= early + 5
  return { name: 'airflow-runs-minute', value: round(perMinute), unit: 'runs/min', bar: 40, ok: isHeld, note }
}

/** Told: from a click until the row that it brought is in InfluxDB. */
async function stored(airflow: Airflow, rows: () => Promise<number>): Promise<BenchLine> {
  const times: number[] = []
  for (let i = 0; i < 3; i += 1) {
    // When the tick of this minute is stored.
    await sleep((80_000 - (Date.now() % 60_000)) % 60_000)
    const before = await rows()
    const beganAt = performance.now()
    await airflow.trigger('collect_kraken')
    while ((await rows()) === before) await sleep(20)
    times.push(performance.now() - beganAt)
  }
  const note = `from the click to the rows in InfluxDB, 3 times, least ${round(Math.min(...times))}, greatest ${round(Math.max(...times))}`
  return {
    name: 'airflow-trigger-to-rows',
    value: round(median(times)),
    unit: 'ms',
    bar: null,
    ok: true,
    note,
  }
}

/** Rows of the provider in InfluxDB. */
async function rowsOf(url: string, database: string, provider: string): Promise<number> {
  const q = `SELECT count(price) FROM quote WHERE provider='${provider}'`
  const response = await fetch(`${url}/query?${new URLSearchParams({ db: database, q })}`)
  const answer = (await response.json()) as { results: { series?: { values: number[][] }[] }[] }
  return answer.results[0]?.series?.[0]?.values[0]?.[1] ?? 0
}
