import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { environmentOf } from '../../scripts/stack/environment.ts'
import { familyOf } from '../../scripts/stack/family.ts'
import { down, kill, missingTools, type ServerStatus, status, up } from '../../scripts/stack/stack.ts'
import { root } from '../support/program.ts'
import { until } from '../support/deployed.ts'
import { type ThrowAwayStack, throwAwayStack } from './throw-away.ts'

/** Without Python's venv nothing here can run: that is a failure where all tools must be there. */
const missing = missingTools(['postgres', 'airflow'])
if (missing.length > 0 && process.env['CI']) throw missing[0]?.error ?? new Error('a tool is missing')

const parts = ['airflow-api', 'airflow-dags', 'airflow-scheduler', 'airflow-triggerer']
const readyLimitMs = 240_000
const airflowEnv = { CRYPTOS_SOURCE: 'sandbox', CRYPTOS_SANDBOX_URL: 'http://127.0.0.1:9' }

describe.skipIf(missing.length > 0)('npm run stack -- up airflow', () => {
  let stack: ThrowAwayStack
  let begun = 0
  const seconds = (): string => ((performance.now() - begun) / 1000).toFixed(1)
  beforeAll(async () => {
    begun = performance.now()
    stack = await throwAwayStack({ servers: ['postgres', 'airflow'], airflowEnv, readyLimitMs })
    console.log(
      `postgres and airflow are ready after ${seconds()} s, a new database and the environment in it`,
    )
  }, 1_800_000)
  afterAll(() => stack?.stop())

  const states = async (): Promise<Record<string, ServerStatus['state']>> =>
    Object.fromEntries((await status(stack.folder, ['airflow'])).map(each => [each.name, each.state]))
  /** Right after a start or a death on a busy machine a server may answer late. */
  const slowly = { timeout: 60_000, interval: 1_000 }
  const allReady = Object.fromEntries(parts.map(name => [name, 'ready']))
  const familyOfPart = (name: string) => familyOf(`STACK_PROCESS=${join(stack.folder, name)}`)
  const all = () => parts.flatMap(familyOfPart)
  const airflow = () => {
    if (!stack.addresses.airflow) throw new Error('no address of Airflow')
    return stack.addresses.airflow
  }
  const login = async (username: string, password: string): Promise<Response> =>
    await fetch(`${airflow().url}/auth/token`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
      body: JSON.stringify({ username, password }),
    })
  const passwordOf = (user: string): string =>
    (JSON.parse(readFileSync(airflow().passwordsFile, 'utf8')) as Record<string, string>)[user] ?? ''
  async function ask(path: string, user?: string): Promise<{ code: number; body: Record<string, unknown> }> {
    const token = user && ((await (await login(user, passwordOf(user))).json()) as { access_token: string })
    const headers: Record<string, string> = token ? { authorization: `Bearer ${token.access_token}` } : {}
    const answer = await fetch(`${airflow().url}${path}`, { headers })
    return { code: answer.status, body: (await answer.json()) as Record<string, unknown> }
  }

  it('has four healthy processes, each with those that it started', async () => {
    await expect.poll(states, slowly).toEqual(allReady)
    // The scheduler and its workers.
    expect(familyOfPart('airflow-scheduler').length).toBeGreaterThanOrEqual(5)
    expect(Object.keys(environmentOf(stack.addresses))).toEqual(
      expect.arrayContaining(['AIRFLOW_URL', 'AIRFLOW_PASSWORDS_FILE']),
    )
  })

  it('listens on 127.0.0.1 alone', () => {
    const own = new Set(all().flatMap(({ pid }) => socketsOf(pid)))
    const listening = listeners().filter(each => own.has(each.inode))
    const port = Number(new URL(airflow().url).port)
    expect(listening.map(({ address, port: at }) => `${address}:${at}`)).toEqual([`0100007F:${port}`])
  })

  it('lets in by the passwords of the file, which nobody else can read, and no one without', async () => {
    expect(statSync(airflow().passwordsFile).mode & 0o777).toBe(0o600)
    expect(statSync(join(airflow().home, 'airflow.cfg')).mode & 0o777).toBe(0o600)
    expect((await login('admin', passwordOf('admin'))).status).toBe(201)
    expect((await login('admin', passwordOf('viewer'))).status).toBe(401)
    expect((await ask('/api/v2/pools')).code).toBe(401)
    expect((await ask('/api/v2/pools', 'viewer')).code).toBe(200)
  })

  it('has no secret in an environment, and the settings of its tasks in each', () => {
    const secrets = Object.values(
      JSON.parse(readFileSync(join(stack.folder, 'airflow', 'secrets.json'), 'utf8')) as object,
    ) as string[]
    expect(secrets.length).toBeGreaterThan(3)
    for (const { pid } of all()) {
      const text = readFileSync(`/proc/${pid}/environ`, 'utf8')
      expect([...secrets, passwordOf('admin')].filter(secret => text.includes(secret))).toEqual([])
      expect(text).toContain('CRYPTOS_SANDBOX_URL=http://127.0.0.1:9\0')
      expect(text).toContain(`CRYPTOS_DATA_DIR=${join(stack.folder, 'cryptos')}\0`)
    }
  })

  it('has the pools of the catalog, the DAGs of the repository, paused, and no error of an import', async () => {
    const catalog = JSON.parse(readFileSync(join(root, 'airflow', 'catalog.json'), 'utf8')) as {
      providers: { pool: string; pool_slots: number; dag_id: string }[]
    }
    const { body } = await ask('/api/v2/pools?limit=100', 'admin')
    const pools = (body['pools'] as { name: string; slots: number }[]).filter(p => p.name !== 'default_pool')
    const wanted = catalog.providers.map(row => [row.pool, row.pool_slots] as const)
    expect(Object.fromEntries(pools.map(pool => [pool.name, pool.slots]))).toEqual(Object.fromEntries(wanted))
    type Dag = { dag_id: string; is_paused: boolean }
    let dags: readonly Dag[] = []
    await until(
      async () => {
        dags = (await ask('/api/v2/dags?limit=100', 'admin')).body['dags'] as Dag[]
        return catalog.providers.every(row => dags.some(dag => dag.dag_id === row.dag_id))
      },
      () => `only the DAGs ${JSON.stringify(dags.map(dag => dag.dag_id))}`,
    )
    expect(dags.filter(dag => !dag.is_paused)).toEqual([])
    for (const errors of ['/api/v2/importErrors', '/api/v2/plugins/importErrors'])
      expect((await ask(errors, 'admin')).body).toMatchObject({ total_entries: 0 })
  })

  it('shows a scheduler that was killed as dead, and starts it again with none of its old workers left', async () => {
    const before = familyOfPart('airflow-scheduler')
    await kill(stack.folder, 'airflow-scheduler', 'SIGKILL')
    await expect.poll(states, slowly).toEqual({ ...allReady, 'airflow-scheduler': 'dead' })
    // Airflow itself still takes it for healthy, by its last heartbeat.
    expect(familyOfPart('airflow-scheduler').length).toBeGreaterThan(0)
    begun = performance.now()
    const said: string[] = []
    await up({ folder: stack.folder, servers: ['postgres', 'airflow'], say: line => said.push(line) })
    console.log(`a killed scheduler is healthy again after ${seconds()} s`)
    expect(said).toContain(`airflow-scheduler: ready at ${airflow().url}`)
    expect(said).toContain(`airflow-api: was ready at ${airflow().url}`)
    await expect.poll(states, slowly).toEqual(allReady)
    const old = new Set(before.map(each => `${each.pid} ${each.startedAt}`))
    expect(all().filter(each => old.has(`${each.pid} ${each.startedAt}`))).toEqual([])
  })

  it('leaves no process behind', async () => {
    // Workers of a dead parent are none of nobody.
    await kill(stack.folder, 'airflow-scheduler', 'SIGKILL')
    expect(all().length).toBeGreaterThan(3)
    begun = performance.now()
    await down(stack.folder, ['airflow'])
    console.log(`airflow is down after ${seconds()} s`)
    expect(all()).toEqual([])
    await expect.poll(states, slowly).toEqual({})
  })
})

interface Listener {
  readonly address: string
  readonly port: number
  readonly inode: string
}

/** Of both tables of the system; the address as it stands there: 127.0.0.1 is 0100007F. */
function listeners(): Listener[] {
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap(table =>
    readFileSync(table, 'utf8')
      .split('\n')
      .slice(1)
      .map(line => line.trim().split(/\s+/))
      .filter(fields => fields[3] === '0A')
      .map(fields => {
        const [address = '', port = ''] = (fields[1] ?? '').split(':')
        return { address, port: Number.parseInt(port, 16), inode: `socket:[${fields[9]}]` }
      }),
  )
}

const socketsOf = (pid: number): string[] =>
  readdirSync(`/proc/${pid}/fd`).flatMap(fd => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)]
    } catch {
      // Closed while one looks.
      return []
    }
  })
