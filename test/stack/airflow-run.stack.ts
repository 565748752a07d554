import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../host/clock.ts'
import { sandboxKey, startSandbox } from '../../sandbox/server.ts'
import { type Env, startCryptos } from '../support/program.ts'
import { scratch } from '../support/scratch.ts'
import { stackServers, throwAwayStack, uniqueName } from './servers.ts'
import { Airflow, type TaskInstance } from './support/airflow.ts'
import { judge } from './support/airflow-judge.ts'
import { keepScreens } from './support/airflow-screens.ts'
import { end, fullEnv } from './support/world.ts'
import { kill, restart } from '../../scripts/stack/stack.ts'

const collectors = ['coinmarketcap', 'kraken', 'coinbase', 'binance', 'bitstamp', 'mempool'] as const
const collectDags = collectors.map(name => `collect_${name}`)
/** Whose runs by hand come too close together for a key of one call a minute. */
const burst = 24
const wantedTaskRuns = 100
const over = new Set(['success', 'skipped', 'failed', 'upstream_failed'])
const isOver = (t: TaskInstance): boolean => over.has(t.state ?? '')
const spenderOf = (t: TaskInstance): string => `${t.dag_id}/${t.dag_run_id}`

async function until<T>(what: string, limitMs: number, found: () => Promise<T | undefined>): Promise<T> {
  for (const giveUpAt = performance.now() + limitMs; performance.now() < giveUpAt; await sleep(1_000)) {
    const value = await found()
    if (value !== undefined) return value
  }
  throw new Error(`${what}: not within ${limitMs / 1_000} s`)
}

/** The task runner whose child is a collector of this provider that runs just now: its pid and its child's. */
function runnerOf(
  provider: string,
  home: string,
): { readonly runner: number; readonly child: number } | undefined {
  const lines = execFileSync('ps', ['-eo', 'pid=,ppid=,args=', '-ww'], { encoding: 'utf8' }).split('\n')
  for (const line of lines) {
    const [, pid, ppid, args = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []
    if (!args.includes(`collect ${provider} `)) continue
    const parent = execFileSync('sh', ['-c', `tr '\\0' '\\n' < /proc/${ppid}/environ || true`], {
      encoding: 'utf8',
    })
    if (parent.includes(home)) return { runner: Number(ppid), child: Number(pid) }
  }
  return undefined
}

const lives = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('Airflow runs it', () => {
  it('holds the quota, tells every skip, and Kafka, Cassandra and InfluxDB agree', async () => {
    using folder = scratch('airflow-run')
    await using sandbox = Object.assign(
      await startSandbox({
        clock: systemClock,
        plan: { creditsPerMonth: 10_000_000, callsPerMinute: 2, usageLagMs: 0 },
      }),
      { [Symbol.asyncDispose]: async () => await sandbox.close() },
    )
    // A password belongs into no environment that Airflow keeps.
    const { CRYPTOS_POSTGRES_PASSWORD: _, ...named } = fullEnv(uniqueName('airflow'), folder.file('data'))
    const env: Env = {
      ...named,
      CRYPTOS_POSTGRES_PASSWORD_FILE: stackServers().postgres.passwordFile,
      CRYPTOS_SANDBOX_URL: sandbox.url,
      CRYPTOS_ASSETS: 'bitcoin,ethereum',
      CRYPTOS_PROVIDERS: collectors.join(','),
    }
    const stack = await throwAwayStack({
      servers: ['postgres', 'airflow'],
      airflowEnv: env,
      settings: { airflow: { 'scheduler.task_instance_heartbeat_timeout': '30' } },
    })
    const place = stack.addresses.airflow
    if (!place) throw new Error('Airflow did not come up')
    const airflow = await Airflow.login(place.url, place.passwordsFile)
    await airflow.addKey('cryptos_coinmarketcap', sandboxKey)
    const storing = startCryptos(['process', '--no-judge'], env)
    try {
      for (const dag of [...collectDags, 'cryptos_freshness', 'cryptos_reconcile', 'cryptos_export'])
        await airflow.pause(dag, false)

      // By hand, as fast as a person clicks: each wants a price now, and the key gives one or two a minute.
      for (let i = 0; i < burst; i += 1) await airflow.trigger('collect_coinmarketcap')
      for (let i = 0; i < 8; i += 1)
        for (const dag of ['collect_kraken', 'collect_coinbase']) await airflow.trigger(dag)

      // A runner that dies while its collector waits for the answer.
      sandbox.faults.add({ kind: 'delay', ms: 12_000, provider: 'bitstamp', times: 1 })
      const seen = new Map<number, number>()
      const victim = await until('a collector of bitstamp that waits', 240_000, async () => {
        const found = runnerOf('bitstamp', place.home)
        if (found === undefined) return undefined
        if (!seen.has(found.child)) seen.set(found.child, performance.now())
        // Its start and its end take less: it waits for the answer.
        return performance.now() - (seen.get(found.child) ?? 0) > 3_000 ? found : undefined
      })
      process.kill(victim.runner, 'SIGKILL')
      await until('the end of its collector', 10_000, async () => (lives(victim.child) ? undefined : true))

      // The scheduler dies and comes back.
      await kill(stack.folder, 'airflow-scheduler', 'SIGKILL')
      await restart(stack.folder, 'airflow-scheduler')

      const lines = new Set<string>()
      await until(`${wantedTaskRuns} task runs`, 600_000, async () => {
        const now = execFileSync('ps', ['-eo', 'args=', '-ww'], { encoding: 'utf8' }).split('\n')
        for (const line of now) if (line.includes('collect coinmarketcap')) lines.add(line)
        const ended = (await airflow.tasks()).filter(isOver)
        return ended.length >= wantedTaskRuns ? true : undefined
      })

      // A task that succeeded is run again by hand: its slot was answered.
      const before = (await airflow.tasks()).filter(
        t => t.state === 'success' && t.dag_id === 'collect_binance',
      )
      const again = before[0]
      if (!again) throw new Error('no run of binance succeeded')
      await airflow.clear(again)
      const cleared = await until('the cleared task', 180_000, async () =>
        (await airflow.tasks()).find(
          t => spenderOf(t) === spenderOf(again) && isOver(t) && t.start_date !== again.start_date,
        ),
      )
      expect(cleared.state).toBe('skipped')
      expect(await airflow.resultOf(cleared)).toMatchObject({ outcome: 'already-done', credits: 0 })

      let wasQuiet = false
      const tasks = await until('quiet', 240_000, async () => {
        const all = await airflow.tasks()
        const busy = new Set(all.filter(t => !isOver(t)).map(t => t.dag_id))
        // Airflow starts no task of a DAG that is paused: one that has some left goes on until they are over.
        for (const dag of collectDags) await airflow.pause(dag, !busy.has(dag))
        // Only the second time nothing can have begun since the look.
        const isQuiet = wasQuiet && busy.size === 0
        wasQuiet = busy.size === 0
        return isQuiet ? all : undefined
      })
      await keepScreens(place, 'collect_coinmarketcap')
      await judge({
        ...{ tasks, airflow, env, sandbox, storing },
        ...{ home: place.home, killed: 'bitstamp', lines: [...lines] },
      })
    } catch (error) {
      const states = (await airflow.tasks()).map(t => `${t.dag_id} ${t.state} ${t.try_number}`)
      console.log([...Map.groupBy(states, t => t)].map(([t, all]) => `${all.length} ${t}`).join('\n'))
      const failed = (await airflow.tasks()).find(t => ['failed', 'up_for_retry'].includes(t.state ?? ''))
      if (failed) console.log(JSON.stringify(await airflow.resultOf(failed)))
      throw error
    } finally {
      await end(storing)
      await stack.stop()
    }
  })
})
