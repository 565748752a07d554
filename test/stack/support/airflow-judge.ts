import { execFileSync } from 'node:child_process'
import { expect } from 'vitest'
import { loadConfig } from '../../../app/config/load.ts'
import { sandboxSource } from '../../../app/source.ts'
import { openLedger } from '../../../app/stores.ts'
import { using } from '../../../app/using.ts'
import { exitCodeOf } from '../../../core/outcomes.ts'
import type { Run } from '../../../core/records.ts'
import { systemClock } from '../../../host/clock.ts'
import { type Sandbox, sandboxKey } from '../../../sandbox/server.ts'
import { callsInVain } from '../../support/calls-in-vain.ts'
import { type Env, type Running, runCryptos } from '../../support/program.ts'
import type { Airflow, TaskInstance } from './airflow.ts'
import { expectAllStored } from './all-stored.ts'

export interface Case {
  readonly tasks: readonly TaskInstance[]
  readonly airflow: Airflow
  readonly env: Env
  readonly sandbox: Sandbox
  /** Fills the stores. */
  readonly storing: Running
  /** AIRFLOW_HOME. */
  readonly home: string
  /** The provider whose task runner was killed while its answer was on the way. */
  readonly killed: string
  /** Command lines that were seen while it ran. */
  readonly lines: readonly string[]
}

const spenderOf = (t: TaskInstance): string => `${t.dag_id}/${t.dag_run_id}`
const isCollect = (t: TaskInstance): boolean => t.dag_id.startsWith('collect_')

const tally = (words: readonly string[]): Record<string, number> =>
  Object.fromEntries([...Map.groupBy(words, w => w)].map(([word, all]) => [word, all.length]))

/** Everything that must hold when Airflow is quiet again, each by two independent witnesses. */
export async function judge(of: Case): Promise<void> {
  const runs = await ledgerRuns(of.env)
  await storesAgree(of)
  neverRefused(of)
  await skipsAreTold(of, runs)
  noCallTwice(of, runs)
  await spendersAreTold(of)
  await assetsWentOn(of)
  await noKeyAnywhere(of)
}

async function ledgerRuns(env: Env): Promise<readonly Run[]> {
  const config = loadConfig(env)
  const source = sandboxSource(config, env['CRYPTOS_SANDBOX_URL'] ?? '')
  return await using(await openLedger(config, source, systemClock), ledger => ledger.runs(10_000))
}

/** Kafka = Cassandra = InfluxDB, when the consumers have caught up. */
async function storesAgree({ env, storing }: Case): Promise<void> {
  const audit = await expectAllStored(env, storing)
  console.log(`audit: ${JSON.stringify(audit['rows'])}`)
}

/** The provider's own meter: no limit was met, and no refusal. */
function neverRefused({ sandbox }: Case): void {
  expect(sandbox.meter.violationList).toEqual([])
  expect(sandbox.meter.entries().filter(e => e.result === 'refused')).toEqual([])
}

/** Each skipped task has the ledger's word for it; a fifth of what was due was denied at least. */
async function skipsAreTold({ tasks, airflow }: Case, runs: readonly Run[]): Promise<void> {
  const skipped = tasks.filter(t => isCollect(t) && t.state === 'skipped')
  // A task that was tried twice has a run of each try.
  const skips = runs.filter(r => exitCodeOf(r.outcome) === 99)
  const wordOf = (t: TaskInstance): string | undefined =>
    skips.find(r => r.spender === spenderOf(t) && r.dataset === t.task_id)?.outcome
  for (const t of skipped.filter(each => wordOf(each) === undefined)) {
    const own = runs.filter(r => r.spender === spenderOf(t))
    console.log(`no word for ${JSON.stringify([t, await airflow.resultOf(t), own])}`)
  }
  const told = tally(skipped.map(t => String(wordOf(t))))
  const { 'not-due': notDue = 0, 'denied-by-quota': denied = 0, 'already-done': done = 0 } = told
  const made = tasks.filter(t => isCollect(t) && t.state === 'success').length
  console.log(
    `${tasks.length} task runs of ${new Set(tasks.map(t => t.dag_id)).size} DAGs: ${JSON.stringify(tally(tasks.map(t => String(t.state))))}; ` +
      `${skipped.length} skips = ${notDue} not due + ${denied} denied + ${done} already done; ${made} collected; ` +
      `${Math.round((100 * denied) / (denied + made))} % of the due calls denied`,
  )
  expect(told).toEqual({
    ...(notDue ? { 'not-due': notDue } : {}),
    ...(denied ? { 'denied-by-quota': denied } : {}),
    ...(done ? { 'already-done': done } : {}),
  })
  expect(tasks.length).toBeGreaterThanOrEqual(100)
  expect(denied / (denied + made)).toBeGreaterThanOrEqual(0.2)
  expect(done).toBeGreaterThanOrEqual(1)
  expect(tasks.filter(t => isCollect(t) && t.state === 'failed')).toEqual([])
}

/** What was on its way when the scheduler was killed ends with it: so many tasks run at once. */
const tasksAtOnce = 4

/** No slot is answered twice; more calls only where a runner, or the scheduler with its tasks, died before the answers were there. */
function noCallTwice({ sandbox, killed, tasks }: Case, runs: readonly Run[]): void {
  const table: Record<string, string> = {}
  let vain = 0
  for (const provider of new Set(runs.map(r => r.provider as string))) {
    const answers = runs.filter(
      r => r.provider === provider && ['collected', 'partial'].includes(r.outcome) && r.slot !== '',
    )
    const answered = new Set(answers.map(r => r.slot))
    expect(answers.length, `${provider}: a slot was answered twice`).toBe(answered.size)
    const calls = sandbox.meter
      .entries()
      .filter(e => e.provider === provider && !e.endpoint.includes('key/info'))
    table[provider] = `${calls.length} calls, ${answered.size} answered slots`
    const more = callsInVain(calls.length, answers)
    expect(more.deaths, `${provider}: ${table[provider]}`).toBeLessThanOrEqual(provider === killed ? 2 : 1)
    vain += more.calls
  }
  console.log(`${JSON.stringify(table)}: ${vain} calls in vain`)
  expect(vain).toBeLessThanOrEqual(1 + tasksAtOnce)
  const tries = tasks.filter(t => t.dag_id === `collect_${killed}` && t.try_number > 1)
  expect(tries.length, 'the task whose runner was killed is tried again').toBeGreaterThanOrEqual(1)
}

/** Who spent it, in the ledger's own sums. */
async function spendersAreTold({ env, sandbox }: Case): Promise<void> {
  const { json } = await runCryptos(['quota', 'status'], env)
  const scopes = json['scopes'] as readonly {
    readonly provider: string
    readonly spenders: readonly { readonly spender: string; readonly month: { readonly calls: number } }[]
  }[]
  const calls = sandbox.meter.entries().filter(e => e.provider === 'coinmarketcap')
  const mine = scopes.filter(s => s.provider === 'coinmarketcap').flatMap(s => s.spenders)
  // Every call has its spender, the questions for the provider's own figure too.
  expect(mine.reduce((n, s) => n + s.month.calls, 0)).toBe(calls.length)
  expect(mine.map(s => s.spender)).toContain('collect_coinmarketcap')
  expect((json['skips'] as readonly unknown[]).length).toBeGreaterThan(0)
}

/** What was published went on to the DAG that waits for it. */
async function assetsWentOn({ airflow, tasks }: Case): Promise<void> {
  const events = await airflow.ask<{ readonly total_entries: number }>('GET', '/api/v2/assets/events?limit=1')
  const made = tasks.filter(t => isCollect(t) && t.state === 'success').length
  expect(events.total_entries).toBeGreaterThanOrEqual(made)
  expect(tasks.some(t => t.dag_id === 'cryptos_export' && t.state === 'success')).toBe(true)
}

/** The key came from a connection: it is in no log of Airflow, in no result, and was on no command line. */
async function noKeyAnywhere({ home, airflow, tasks, lines }: Case): Promise<void> {
  // grep ends with 1 where it finds nothing.
  const found = execFileSync('sh', ['-c', `grep -rlF -e '${sandboxKey}' '${home}' || true`], {
    encoding: 'utf8',
  })
  expect(found).toBe('')
  const ofKey = tasks.filter(t => t.dag_id === 'collect_coinmarketcap')
  // One after the other: its page has few connections to its database.
  const results: unknown[] = []
  for (const task of ofKey) results.push(await airflow.resultOf(task))
  expect(results.filter(r => r !== undefined).length).toBeGreaterThan(10)
  expect(JSON.stringify(results)).not.toContain(sandboxKey)
  const collecting = lines.filter(line => line.includes('collect coinmarketcap'))
  expect(collecting.length, 'command lines that were seen').toBeGreaterThan(0)
  expect(collecting.filter(line => line.includes(sandboxKey))).toEqual([])
}
