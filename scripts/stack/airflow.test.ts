import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { secrets } from '../../app/config/settings.ts'
import { addressesOf } from './addresses.ts'
import { venvName } from './airflow-venv.ts'
import { pins, usualServers, withImplied } from './pins.ts'
import { portsOf } from './ports.ts'
import type { Place } from './server.ts'
import { airflowEnvironment } from './servers/airflow-environment.ts'
import { airflowConfig, airflowPasswords, airflowPaths, secretsOf } from './servers/airflow-files.ts'
import { isHealthy } from './servers/airflow-health.ts'
import { airflow } from './servers/airflow-setup.ts'
import { airflowServers } from './servers/airflow.ts'
import type { ServerRecord } from './state.ts'
import { stopStages } from './stopping.ts'

const root = join(import.meta.dirname, '..', '..')
const folder = mkdtempSync(join(tmpdir(), 'cryptos-airflow-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const place = (settings: Place['settings'] = {}, name = 'airflow-api'): Place => ({
  ...{ portOffset: 7, brokers: 1, settings, ports: portsOf(7, 1), say: () => undefined },
  ...{ stackFolder: folder, folder: join(folder, name) },
})
const addresses = addressesOf(folder, { portOffset: 7, brokers: 1, settings: {} })
const environment = (caller: NodeJS.ProcessEnv, more = {}): Record<string, string> =>
  airflowEnvironment({ addresses, venv: '/cache/venv', mark: 'MARK=/x/a=b', more }, caller)

describe('what `up` starts', () => {
  it('is with Airflow alone all that its tasks collect into, else PostgreSQL at least', () => {
    expect(withImplied([])).toEqual(usualServers)
    expect(usualServers).not.toContain('airflow')
    expect(withImplied(['airflow'])).toEqual([...usualServers, 'airflow'])
    expect(withImplied(['airflow', 'kafka'])).toEqual(['postgres', 'airflow', 'kafka'])
    expect(withImplied(['kafka'])).toEqual(['kafka'])
  })
})

describe('airflow.cfg', () => {
  const secrets = { database: 'geheim', jwt: 'j'.repeat(64), fernet: 'f=', api: 'a' }
  it('listens on loopback at the port of the stack, keeps its state in PostgreSQL and pauses new DAGs', () => {
    const lines = airflowConfig(place(), secrets).split('\n')
    for (const line of [
      'executor = LocalExecutor',
      'host = 127.0.0.1',
      'port = 18087',
      'base_url = http://127.0.0.1:18087',
      'execution_api_server_url = http://127.0.0.1:18087/execution/',
      'sql_alchemy_conn = postgresql+psycopg2://airflow:geheim@127.0.0.1:15439/airflow',
      'dags_are_paused_at_creation = True',
      `dags_folder = ${root}/dags`,
      `plugins_folder = ${root}/airflow/plugins`,
    ])
      expect(lines).toContain(line)
    expect(lines.join('\n')).not.toContain('all_admins')
  })
  it('has each section once, takes settings of one’s own, and keeps a percent sign', () => {
    const own = { airflow: { 'core.parallelism': '9', 'email.from': '5%' } }
    const lines = airflowConfig(place(own), secrets).split('\n')
    const sections = lines.filter(line => line.startsWith('['))
    expect(new Set(sections).size).toBe(sections.length)
    expect(lines.filter(line => line.startsWith('parallelism'))).toEqual(['parallelism = 9'])
    expect(lines).toContain('from = 5%%')
  })
})

describe('the secrets of an Airflow', () => {
  it('are random, made once, long enough and readable to their owner alone', () => {
    const made = secretsOf(folder)
    expect(secretsOf(folder)).toEqual(made)
    expect(Buffer.from(made.fernet, 'base64url')).toHaveLength(32)
    expect(made.fernet).toMatch(/^[\w-]{43}=$/)
    expect(Buffer.byteLength(made.jwt)).toBeGreaterThanOrEqual(64)
    const passwords = airflowPasswords(folder)
    expect(passwords.admin).toMatch(/^[0-9a-f]{36}$/)
    expect(passwords.viewer).not.toBe(passwords.admin)
    const { passwords: file, secrets } = airflowPaths(folder)
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(passwords)
    for (const each of [file, secrets]) expect(statSync(each).mode & 0o777).toBe(0o600)
  })
})

describe('the environment of its processes', () => {
  it('tells the tasks which program, which servers and which folder, by absolute paths', () => {
    expect(environment({ PATH: '/bin' })).toMatchObject({
      PATH: '/cache/venv/bin:/bin',
      AIRFLOW_HOME: join(folder, 'airflow', 'home'),
      CRYPTOS_COMMAND: `${process.execPath} ${root}/bin/cryptos.mjs`,
      CRYPTOS_DATA_DIR: join(folder, 'cryptos'),
      CRYPTOS_PROFILE: 'full',
      CRYPTOS_KAFKA_BROKERS: '127.0.0.1:19099',
      MARK: '/x/a=b',
    })
  })
  it('takes settings and files of keys of the caller, and nothing else of him', () => {
    const found = environment({
      CRYPTOS_DATASETS: 'quotes,market',
      CRYPTOS_DATA_DIR: 'here',
      COINMARKETCAP_API_KEY_FILE: 'key',
      CRYPTOS_KAFKA_BROKERS: 'elsewhere:1',
      ...{ COINMARKETCAP_API_KEY: 'geheim', CRYPTOS_POSTGRES_PASSWORD: 'geheim', AWS_SECRET: 'geheim' },
      ...{ CRYPTOS_STACK_FOLDER: 'x', CRYPTOS_LAUNCHED: '1', CRYPTOS_SPENDER: 'me' },
      ...{ AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS: 'True', PYTHONDONTWRITEBYTECODE: '1' },
    })
    expect(found).toMatchObject({
      CRYPTOS_DATASETS: 'quotes,market',
      CRYPTOS_DATA_DIR: resolve('here'),
      COINMARKETCAP_API_KEY_FILE: resolve('key'),
      CRYPTOS_KAFKA_BROKERS: '127.0.0.1:19099',
    })
    expect(JSON.stringify(found)).not.toContain('geheim')
    const others = /^(CRYPTOS_(STACK|LAUNCHED|SPENDER)|AIRFLOW__|PYTHONDONT|AIRFLOW_URL)/
    expect(Object.keys(found).filter(name => others.test(name))).toEqual([])
  })
  it('hands on no secret as text, whatever its name, and its file', () => {
    for (const { env } of Object.values(secrets)) {
      expect(environment({ [env]: 'geheim-5' })).not.toHaveProperty(env)
      if (!env.startsWith('CRYPTOS_')) continue
      expect(Object.keys(environment({ [`${env}_FILE`]: 'a' }))).toContain(`${env}_FILE`)
    }
  })
  it('is all that its commands get: the caller’s settings would make tables of another database', async () => {
    const bin = join(folder, 'venv', 'bin')
    mkdirSync(bin, { recursive: true })
    mkdirSync(airflowPaths(folder).folder, { recursive: true })
    writeFileSync(join(bin, 'airflow'), '#!/bin/sh\n/usr/bin/env\n')
    chmodSync(join(bin, 'airflow'), 0o700)
    vi.stubEnv('AIRFLOW__DATABASE__SQL_ALCHEMY_CONN', 'postgres://of-another')
    const env = environment({ PATH: process.env['PATH'] })
    const said = await airflow({ place: place(), venv: join(folder, 'venv'), env }, 'db', 'migrate')
    vi.unstubAllEnvs()
    expect(said).toContain('MARK=/x/a=b')
    expect(said).not.toContain('of-another')
  })
  it('puts what a stack was asked for above all', () => {
    const more = { CRYPTOS_SOURCE: 'sandbox', CRYPTOS_PROFILE: 'embedded' }
    expect(environment({ CRYPTOS_SOURCE: 'live' }, more)).toMatchObject(more)
  })
})

describe('health', () => {
  const at = Date.parse('2026-11-21T12:00:00Z')
  const health = {
    metadatabase: { status: 'healthy' },
    scheduler: { status: 'healthy', latest_scheduler_heartbeat: '2026-11-21T12:00:00Z' },
    triggerer: { status: 'unhealthy', latest_triggerer_heartbeat: '2026-11-21T12:00:00Z' },
  }
  it('counts by a heartbeat of this start: that of the killed one before is no sign of life', () => {
    expect(isHealthy(health, 'scheduler', at)).toBe(true)
    expect(isHealthy(health, 'scheduler', at + 1)).toBe(false)
    expect(isHealthy(health, 'triggerer', at)).toBe(false)
    expect(isHealthy(health, 'dag_processor', 0)).toBe(false)
    expect(isHealthy(health, 'metadatabase', at + 1)).toBe(true)
  })
})

describe('the processes', () => {
  it('are four, each known by a mark of its own, of which one listens', () => {
    const servers = airflowServers(name => place({}, name))
    expect(servers.map(each => [each.name, each.listens])).toEqual([
      ['airflow-api', [18_087]],
      ['airflow-scheduler', []],
      ['airflow-dags', []],
      ['airflow-triggerer', []],
    ])
    expect(servers[1]?.mark).toBe(`STACK_PROCESS=${folder}/airflow-scheduler`)
  })
  it('are stopped before what they run on, the API last of them', () => {
    const names = ['airflow-api', 'airflow-dags', 'airflow-scheduler', 'kafka', 'postgres']
    const records = names.map(name => {
      return { name, kind: name.split('-')[0], address: '', pid: 1, startedAt: '' } as ServerRecord
    })
    expect(stopStages(records).map(stage => stage.map(each => each.name))).toEqual([
      ['airflow-dags', 'airflow-scheduler'],
      ['airflow-api'],
      ['kafka', 'postgres'],
    ])
  })
})

describe('what is installed', () => {
  const constraints = readFileSync(join(root, 'airflow', 'constraints.txt'), 'utf8')
  it('has the pinned version, and is another environment for other versions or another Python', () => {
    expect(constraints).toMatch(new RegExp(`^apache-airflow==${pins.airflow}$`, 'm'))
    expect(constraints).toMatch(/^psycopg2-binary==/m)
    const names = [venvName(constraints, '3.11.7'), venvName(constraints, '3.12'), venvName('', '3.11.7')]
    expect(new Set(names).size).toBe(3)
    expect(names[0]).toMatch(new RegExp(`^airflow-${pins.airflow}-[0-9a-f]{12}$`))
  })
})
