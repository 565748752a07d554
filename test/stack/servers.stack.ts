import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { httpReady, postgresReady, cassandraReady, kafkaBrokers } from '../../scripts/stack/probes.ts'
import { status } from '../../scripts/stack/stack.ts'
import { readPlan } from '../../scripts/stack/state.ts'
import {
  killServer,
  proxyOf,
  restartServer,
  stackServers,
  stopServer,
  uniqueName,
  wakeServer,
} from './servers.ts'

const state = async (name: string): Promise<string | undefined> =>
  (await status(stackServers().folder)).find(each => each.name === name)?.state

describe('the servers of a test run', () => {
  it('answer by their protocols, also behind the proxy', async () => {
    expect(await kafkaBrokers((await proxyOf('kafka')).port)).toEqual([1])
    expect(await cassandraReady((await proxyOf('cassandra')).port)).toBe(true)
    expect(await postgresReady((await proxyOf('postgres')).port)).toBe(true)
    expect(await httpReady(`http://127.0.0.1:${(await proxyOf('influxdb')).port}/ping`)).toBe(true)
  })

  it.skipIf(process.env['CRYPTOS_STACK_FOLDER'])('keep no snapshot of a keyspace that a test drops', () => {
    const { folder } = stackServers()
    expect(readFileSync(join(folder, 'cassandra', 'cassandra.yaml'), 'utf8')).toContain(
      'auto_snapshot: false',
    )
    expect(readPlan(folder)?.readyLimitMs).toBe(180_000)
  })

  it('can be cut off and slowed by the proxy, and heal', async () => {
    const proxy = await proxyOf('influxdb')
    const url = `http://${proxy.host}:${proxy.port}/ping`
    await proxy.cut()
    expect(await httpReady(url)).toBe(false)
    expect(await httpReady(`${stackServers().influxdb.url}/ping`)).toBe(true)
    await proxy.heal()
    await proxy.toxic({ type: 'latency', attributes: { latency: 300 } })
    const before = performance.now()
    expect(await httpReady(url)).toBe(true)
    expect(performance.now() - before).toBeGreaterThan(250)
    await proxy.heal()
  })

  afterAll(() => restartServer('influxdb'))

  it('keep their data through a kill and a restart', async () => {
    const { url } = stackServers().influxdb
    const database = uniqueName('kept')
    await fetch(`${url}/query?q=${encodeURIComponent(`CREATE DATABASE ${database}`)}`, { method: 'POST' })
    await fetch(`${url}/write?db=${database}&precision=ms`, { method: 'POST', body: 'price value=1 1000' })
    await killServer('influxdb')
    expect(await state('influxdb')).toBe('dead')
    await expect(killServer('influxdb')).rejects.toThrow(/does not run/)
    await restartServer('influxdb')
    const answer = await fetch(
      `${url}/query?db=${database}&q=${encodeURIComponent('SELECT value FROM price')}`,
    )
    expect(await answer.text()).toContain('[["1970-01-01T00:00:01Z",1]]')
  })

  it('can be paused and woken', async () => {
    const { url } = stackServers().influxdb
    await stopServer('influxdb')
    expect(await state('influxdb')).toBe('paused')
    expect(await httpReady(`${url}/ping`)).toBe(false)
    await wakeServer('influxdb')
    expect(await httpReady(`${url}/ping`)).toBe(true)
  })
})
