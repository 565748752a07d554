import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { root } from '../support/program.ts'
import { scratch } from '../support/scratch.ts'

const folder = scratch('deployed-airflow')
const pools = join(root, 'airflow', 'pools.json')
afterAll(() => folder[Symbol.dispose]())

describe('the scripts of deploy/airflow', () => {
  const at = (name: string): string => folder.file(name)
  const script = (name: string): string => join(root, 'deploy', 'airflow', name)
  /** Runs it with a program `airflow` that only tells what it was asked. */
  function start(...args: string[]) {
    const bin = at('bin')
    mkdirSync(bin, { recursive: true })
    mkdirSync(at('private'), { recursive: true })
    writeFileSync(join(bin, 'airflow'), '#!/bin/sh\necho "airflow $*"\n', { mode: 0o755 })
    execFileSync('sh', [join(root, 'deploy', 'make-secrets.sh'), at('secrets')])
    const env = {
      ...{ PATH: `${bin}:${process.env['PATH']}`, AIRFLOW_HOME: at('home'), AIRFLOW_POOLS: pools },
      ...{ SECRETS_DIR: at('secrets'), PRIVATE_DIR: at('private') },
    }
    return execFileSync('bash', [script('start.sh'), ...args], { env, encoding: 'utf8' })
  }
  const secret = (name: string): string => readFileSync(at(`secrets/${name}`), 'utf8')

  it('put the secrets into files of their user alone, in the forms that Airflow wants', () => {
    expect(start('init')).toBe(`airflow db migrate\nairflow pools import ${pools}\n`)
    const config = readFileSync(at('home/airflow.cfg'), 'utf8')
    const value = (key: string): string => new RegExp(`^${key} = (.*)$`, 'm').exec(config)?.[1] ?? ''
    expect(value('fernet_key')).toMatch(/^[\w-]{43}=$/)
    expect(Buffer.from(value('fernet_key'), 'base64url').toString()).toBe(
      secret('airflow_fernet_key').slice(0, 32),
    )
    expect(value('jwt_secret')).toMatch(/^[0-9a-f]{128}$/)
    expect(value('sql_alchemy_conn')).toBe(
      `postgresql+psycopg2://airflow:${secret('postgres_airflow_password')}@postgres:5432/airflow`,
    )
    const passwords: unknown = JSON.parse(readFileSync(at('home/passwords.json'), 'utf8'))
    const names = ['admin', 'viewer'] as const
    expect(passwords).toEqual(
      Object.fromEntries(names.map(name => [name, secret(`airflow_${name}_password`)])),
    )
    for (const file of ['home/airflow.cfg', 'home/passwords.json', 'private/kafka_up_password'])
      expect([file, statSync(at(file)).mode & 0o077]).toEqual([file, 0])
  })
  it('open no other port', () => {
    expect(start('scheduler')).toBe('airflow scheduler --skip-serve-logs\n')
    expect(start('triggerer')).toBe('airflow triggerer --skip-serve-logs\n')
    expect(start('api-server')).toBe('airflow api-server\n')
  })
  it('take a part for healthy only when the API says so', async () => {
    const health = { scheduler: { status: 'healthy' }, triggerer: { status: 'unhealthy' } }
    const server = createServer((_, answer) => answer.end(JSON.stringify(health))).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const check = async (part: string): Promise<number | null> => {
      const child = spawn('python3', [script('healthy.py'), part, url], { stdio: 'ignore' })
      return ((await once(child, 'exit')) as [number | null])[0]
    }
    expect([await check('scheduler'), await check('triggerer'), await check('dag_processor')]).toEqual([
      0, 1, 1,
    ])
    server.close()
    expect(await check('scheduler')).toBe(1)
  })
})
