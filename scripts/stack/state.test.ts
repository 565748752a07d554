import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cacheFolder, cached } from './cache.ts'
import { firstTaken, holderOf, isFree } from './port-check.ts'
import { identify, isAlive, isPaused, signal, stopProcess, waitForEnd, waitForPause } from './processes.ts'
import { clusterId } from './servers/kafka.ts'
import { passwordsOf } from './servers/postgres.ts'
import { allRecords, readPlan, readRecord, removeRecord, writePlan, writeRecord } from './state.ts'
import { waitForReady } from './start.ts'
import { stopAll } from './stopping.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cryptos-state-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const idle = (script = 'setInterval(() => undefined, 1000)') => {
  const child = spawn(process.execPath, ['-e', `${script}; console.log('up')`], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const ended = once(child, 'exit')
  return { child, ended, up: once(child.stdout, 'data') }
}

describe('what is kept of a stack', () => {
  it('is its plan and a record for each server, readable one by one', () => {
    const plan = { portOffset: 7, brokers: 3, settings: { kafka: { a: 'b' } } }
    writePlan(folder, plan)
    expect(readPlan(folder)).toEqual(plan)
    expect(allRecords(folder)).toEqual([])
    const record = { name: 'kafka-2', kind: 'kafka' as const, address: 'x:1', pid: 4, startedAt: 's' }
    mkdirSync(join(folder, 'kafka-2'))
    writeRecord(folder, record)
    expect(readRecord(folder, 'kafka-2')).toEqual(record)
    expect(allRecords(folder)).toEqual([record])
    removeRecord(folder, 'kafka-2')
    expect(allRecords(folder)).toEqual([])
    expect(allRecords(join(folder, 'none'))).toEqual([])
  })

  it('keeps a server that does not even end by SIGKILL, and says so', async () => {
    const records = ['influxdb', 'postgres'].map((name, pid) => {
      mkdirSync(join(folder, name))
      const record = { name, kind: name as 'influxdb', address: 'x', pid: pid + 70, startedAt: 's' }
      writeRecord(folder, record)
      return record
    })
    await expect(stopAll(folder, records, async record => record.name === 'influxdb')).rejects.toMatchObject({
      code: 'CRY_SERVER_BUSY',
      message: expect.stringContaining('postgres (pid 71) did not end') as string,
    })
    expect(allRecords(folder).map(record => record.name)).toEqual(['postgres'])
    await stopAll(folder, records, async () => true)
    expect(allRecords(folder)).toEqual([])
  })
})

describe('a server that does not answer', () => {
  it('is waited for as long as the plan of its folder says', async () => {
    const place = { name: 'influxdb', kind: 'influxdb' as const, address: 'x' }
    mkdirSync(join(folder, 'influxdb'))
    writeRecord(folder, { ...place, ...identify(process.pid) })
    writePlan(folder, { portOffset: 0, brokers: 1, settings: {}, readyLimitMs: 70 })
    const server = {
      ...{ ...place, listens: [], stopSignal: 'SIGTERM' as const },
      prepare: () => Promise.reject(new Error('unused')),
      ready: () => Promise.resolve(false),
    }
    await expect(waitForReady(folder, server)).rejects.toThrow('did not answer within 0.07 s')
  })
})

describe('a process', () => {
  it('is known by its start time too: a stranger with its pid is never hit', async () => {
    const { child, up, ended } = idle()
    await up
    const id = identify(child.pid ?? 0)
    const stranger = { ...id, startedAt: 'another time' }
    expect(isAlive(id)).toBe(true)
    expect(isAlive(stranger)).toBe(false)
    expect(signal(stranger, 'SIGKILL')).toBe(false)
    expect(await stopProcess(stranger, 'SIGKILL')).toBe(true)
    expect(isAlive(id)).toBe(true)
    signal(id, 'SIGSTOP')
    expect(await waitForPause(id, 5000)).toBe(true)
    // It hears SIGTERM although it was paused.
    expect(await stopProcess(id, 'SIGTERM', 5000)).toBe(true)
    expect(await ended).toEqual([null, 'SIGTERM'])
    expect(isAlive(id)).toBe(false)
    expect(isPaused(id.pid)).toBe(false)
  })

  it('that does not listen to SIGTERM is ended', async () => {
    const { child, up, ended } = idle(
      "process.on('SIGTERM', () => undefined); setInterval(() => undefined, 1000)",
    )
    await up
    const id = identify(child.pid ?? 0)
    expect(await stopProcess(id, 'SIGTERM', 200)).toBe(true)
    expect(await ended).toEqual([null, 'SIGKILL'])
    expect(await waitForEnd(id, 0)).toBe(true)
  })
})

describe('a port', () => {
  it('that is taken is found, and on Linux its holder', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    try {
      expect(await firstTaken([port])).toBe(port)
      if (process.platform === 'linux') expect(holderOf(port)).toContain(`pid ${process.pid} (`)
    } finally {
      server.close()
      await once(server, 'close')
    }
    expect(await isFree(port)).toBe(true)
    expect(await firstTaken([port])).toBeUndefined()
    expect(holderOf(port)).toBeUndefined()
  })
})

describe('the cache', () => {
  const before = process.env['CRYPTOS_STACK_CACHE']
  beforeEach(() => {
    process.env['CRYPTOS_STACK_CACHE'] = folder
  })
  afterEach(() => {
    if (before === undefined) delete process.env['CRYPTOS_STACK_CACHE']
    else process.env['CRYPTOS_STACK_CACHE'] = before
  })

  it('lies where one says, else where the system keeps such things', () => {
    expect(cacheFolder({ CRYPTOS_STACK_CACHE: '/c' })).toBe('/c/cryptos-stack')
    expect(cacheFolder({ XDG_CACHE_HOME: '/x' })).toBe('/x/cryptos-stack')
  })

  it('builds a thing once, however many ask, and again after a failure', async () => {
    let builds = 0
    const build = async (aside: string): Promise<void> => {
      builds += 1
      await new Promise(resolve => setTimeout(resolve, 20))
      if (builds === 1) throw new Error('broken')
      writeFileSync(join(aside, 'made'), String(builds))
    }
    await expect(cached('thing', build)).rejects.toThrow('broken')
    expect(existsSync(join(folder, 'cryptos-stack', 'thing'))).toBe(false)
    const found = await Promise.all([cached('thing', build), cached('thing', build)])
    expect(found[0]).toBe(found[1])
    await cached('thing', build)
    expect(builds).toBe(2)
    expect(readFileSync(join(found[0], 'made'), 'utf8')).toBe('2')
  })

  it('keeps the build of the run that was first', async () => {
    const made = await cached('race', async aside => {
      writeFileSync(join(aside, 'by'), 'slow')
      // Another run finishes meanwhile.
      const target = join(folder, 'cryptos-stack', 'race')
      mkdirSync(target, { recursive: true })
      writeFileSync(join(target, 'by'), 'fast')
      writeFileSync(join(target, '.complete'), '')
    })
    expect(readFileSync(join(made, 'by'), 'utf8')).toBe('fast')
  })
})

describe('what a stack makes up once', () => {
  it('is Kafka’s cluster id, which never begins with a dash', () => {
    const id = clusterId(folder)
    expect(id).toMatch(/^A[\w-]{21}$/)
    expect(clusterId(folder)).toBe(id)
  })

  it('are the passwords of PostgreSQL, for the owner’s eyes only', () => {
    const made = passwordsOf(folder)
    expect(made.cryptos).toMatch(/^[0-9a-f]{36}$/)
    expect(made.cryptos).not.toBe(made.postgres)
    expect(passwordsOf(folder)).toEqual(made)
    for (const file of ['passwords.json', 'password'])
      expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600)
    expect(readFileSync(join(folder, 'password'), 'utf8')).toBe(made.cryptos)
  })
})
