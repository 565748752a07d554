import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { portsOf } from '../../scripts/stack/ports.ts'
import { startTimeOf } from '../../scripts/stack/processes.ts'
import { type ServerStatus, status } from '../../scripts/stack/stack.ts'
import { until } from '../support/deployed.ts'
import { freePortOffset, guard } from './throw-away.ts'

const root = join(import.meta.dirname, '..', '..')
const folder = mkdtempSync(join(tmpdir(), 'cryptos-launcher-'))
const stop = guard(folder)
const offset = await freePortOffset()
const influx = `http://127.0.0.1:${portsOf(offset, 1).influxdb.client}`
afterAll(async () => {
  await stop()
  rmSync(folder, { recursive: true, force: true })
})

function stack(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const all = [join(root, 'scripts', 'stack', 'main.ts'), ...args, '--folder', folder]
  return spawnSync(process.execPath, all, { encoding: 'utf8', timeout: 120_000 })
}

const statusOf = (text: string): ServerStatus[] => JSON.parse(text) as ServerStatus[]
const pids = (text: string): number[] => statusOf(text).map(each => each.pid)
const query = async (command: string, database = ''): Promise<string> => {
  const url = `${influx}/query?db=${database}&q=${encodeURIComponent(command)}`
  return await (await fetch(url, { method: 'POST' })).text()
}
/** One that has ended but that nobody has asked for, a zombie, does not run. */
const isRunning = (pid: number): boolean => startTimeOf(pid) !== undefined

describe('npm run stack', () => {
  const servers = ['influxdb', 'postgres', 'toxiproxy']
  const up = () => stack('up', ...servers, '--port-offset', String(offset), '--json')

  it('starts servers once, however often it is asked, and what died again, on its data', async () => {
    const first = up()
    expect(first.stderr).toContain('influxdb: ready at')
    expect(first.status).toBe(0)
    await query('CREATE DATABASE kept')
    await fetch(`${influx}/write?db=kept`, { method: 'POST', body: 'price value=7 1' })

    const second = up()
    expect(pids(second.stdout)).toEqual(pids(first.stdout))
    expect(second.stderr).toContain('influxdb: was ready')

    const before = statusOf(first.stdout)
    const victim = before.find(each => each.name === 'influxdb')
    const database = before.find(each => each.name === 'postgres')
    process.kill(victim?.pid ?? 0, 'SIGKILL')
    process.kill(database?.pid ?? 0, 'SIGKILL')
    const ill = stack('status', '--json')
    expect(ill.status).toBe(1)
    expect(statusOf(ill.stdout).map(each => [each.name, each.state])).toEqual([
      ['influxdb', 'dead'],
      ['postgres', 'dead'],
      ['toxiproxy', 'ready'],
    ])

    const third = up()
    expect(third.status).toBe(0)
    const after = statusOf(third.stdout)
    expect(after.map(each => each.state)).toEqual(['ready', 'ready', 'ready'])
    expect(after.find(each => each.name === 'toxiproxy')?.pid).toBe(
      before.find(each => each.name === 'toxiproxy')?.pid,
    )
    expect(after.find(each => each.name === 'influxdb')?.pid).not.toBe(victim?.pid)
    expect(await query('SELECT value FROM price', 'kept')).toContain(',7]')
  })

  it('refuses other options while servers run, and shows logs', () => {
    const other = stack('up', 'influxdb', '--port-offset', String(offset + 1))
    expect(other.status).toBe(2)
    expect(other.stderr).toContain('run with other options')
    expect(stack('logs', 'postgres').stdout).toContain('database system is ready')
    expect(stack('logs', 'kafka').status).toBe(2)
  })

  it('leaves no process behind, and keeps data and ports for the next time', async () => {
    const ran = pids(stack('status', '--json').stdout)
    expect(ran).toHaveLength(3)
    const down = stack('down')
    expect(down.stdout).toBe('stopped: influxdb, postgres, toxiproxy\n')
    expect(ran.filter(isRunning)).toEqual([])
    expect(stack('status').status).toBe(1)
    expect(stack('down').stdout).toBe('stopped: nothing ran\n')
    expect(stack('up', 'influxdb').status).toBe(0)
    expect(await query('SELECT value FROM price', 'kept')).toContain(',7]')
    stack('down')
  })

  it('tells a taken port and its holder, a server that does not start, and a wrong command', async () => {
    const holder = createServer().listen(portsOf(offset, 1).influxdb.client, '127.0.0.1')
    await new Promise(resolve => holder.once('listening', resolve))
    const taken = stack('up', 'influxdb')
    holder.close()
    expect(taken.status).toBe(2)
    expect(taken.stderr).toContain(
      `port ${portsOf(offset, 1).influxdb.client} for influxdb is taken by pid ${process.pid}`,
    )

    const broken = stack('up', 'postgres', '--set', 'postgres.shared_buffers=nonsense')
    expect(broken.status).toBe(1)
    expect(broken.stderr).toContain('postgres ended while it started; the end of its log:')
    expect(broken.stderr).toContain('shared_buffers')

    for (const args of [['dance'], ['up', 'redis'], ['up', '--brokers', '2'], ['up', '--set', 'x'], []]) {
      const wrong = stack(...args)
      expect(wrong.status).toBe(2)
      expect(wrong.stderr).toContain('npm run stack -- up|down|status')
    }
  })

  it('leaves no server of a benchmark that was killed', async () => {
    const script = `
      const { startServers } = await import(${JSON.stringify(join(root, 'bench', 'stack', 'servers.ts'))})
      const { folder } = await startServers(['influxdb'])
      console.log(folder)
      setInterval(() => undefined, 1000)`
    const env = { ...process.env, CRYPTOS_BENCH_PORT_OFFSET: String(await freePortOffset()) }
    const bench = spawn(process.execPath, ['--input-type=module', '-e', script], {
      ...{ env, stdio: ['ignore', 'pipe', 'inherit'] as const },
    })
    const [said] = (await once(bench.stdout, 'data')) as [Buffer]
    const of = String(said).trim()
    const [server] = await status(of)
    expect(server).toMatchObject({ name: 'influxdb', state: 'ready' })
    bench.kill('SIGKILL')
    await until(
      async () => !existsSync(of),
      () => `${of} is still there`,
    )
    expect(isRunning(server?.pid ?? 0)).toBe(false)
  })

  it('says in one sentence what is missing on the machine', () => {
    const bin = join(folder, 'empty')
    writeFileSync(`${bin}.txt`, '')
    const result = spawnSync(
      process.execPath,
      [
        join(root, 'scripts', 'stack', 'main.ts'),
        'up',
        'postgres',
        'kafka',
        '--folder',
        join(folder, 'other'),
      ],
      { encoding: 'utf8', env: { PATH: bin, PG_BIN: bin, CRYPTOS_STACK_CACHE: bin } },
    )
    expect(result.status).toBe(2)
    expect(result.stderr.trim().split('\n')).toEqual([
      expect.stringMatching(
        /^postgres needs PostgreSQL 15 \(apt-get install postgresql-15, .*is not installed$/,
      ),
      expect.stringMatching(/^kafka needs Java 17 .*is not installed$/),
      expect.stringMatching(/^kafka needs Maven .*is not installed$/),
    ])
  })
})
