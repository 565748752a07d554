import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { whyWeak, wrongSecrets } from '../../deploy/secret-rules.ts'
import { scratch } from '../support/scratch.ts'

const root = normalize(join(import.meta.dirname, '..', '..'))
const deploy = (name: string): string => join(root, 'deploy', name)
const folder = scratch('secrets')
afterAll(() => folder[Symbol.dispose]())

const good = 'k7Qw2ZpL9xVb4NtR8sYc'

describe('a secret', () => {
  it.each([
    '',
    'changeme',
    'password',
    'cassandra',
    'admin',
    'changemechangemechangeme',
    'cassandra-cassandra-cassandra',
    'Password123Password123',
    'cryptos-kafka-admin-password-1',
    'aaaaaaaaaaaaaaaaaaaaaaaa',
    'abababababababababababab',
    good.slice(0, 19),
    `${good} `,
    `${good}\n`,
    `${good}"`,
    `${good}'`,
    `${good}:`,
    `${good}$`,
    `${good}é`,
  ])('is refused: %j', text => {
    expect(whyWeak(text)).toBeTypeOf('string')
    if (text !== '') expect(whyWeak(text)).not.toContain(text)
  })
  it('is taken when it is long and random, in characters that no server quotes', () => {
    expect(whyWeak(good)).toBeUndefined()
    const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789']
    // Ten different ones and more: a text of chance has them.
    const texts = fc.shuffledSubarray(letters, { minLength: 40, maxLength: 40 }).map(all => all.join(''))
    for (const text of fc.sample(texts, 200)) expect(whyWeak(text)).toBeUndefined()
  })
  it('is of one user alone', () => {
    const secrets = new Map([
      ['kafka_admin_password', good],
      ['kafka_ui_password', good],
    ])
    expect(wrongSecrets(secrets)).toEqual(['kafka_ui_password is the same as kafka_admin_password'])
  })
})

const check = (path: string) =>
  spawnSync(process.execPath, [deploy('check-secrets.ts'), path], { encoding: 'utf8' })

describe('the secret files of docker-compose.yml', () => {
  const path = folder.file('made')
  const make = (): string => execFileSync('sh', [deploy('make-secrets.sh'), path], { encoding: 'utf8' })
  const readAll = (): string[] => readdirSync(path).map(name => readFileSync(join(path, name), 'utf8'))

  it('are made at random, closed to others of the machine, and pass the check', () => {
    expect(make()).toBe('')
    expect(statSync(path).mode & 0o777).toBe(0o700)
    expect(new Set(readAll()).size).toBe(readdirSync(path).length)
    expect(readAll().filter(text => whyWeak(text) !== undefined)).toEqual([])
    expect(check(path)).toMatchObject({ status: 0, stdout: '', stderr: '' })
  })
  it('are those that docker-compose.yml mounts', () => {
    const [, section = ''] = readFileSync(join(root, 'docker-compose.yml'), 'utf8').split(/^secrets:$/m)
    const named = [...section.matchAll(/^ {2}(\w+):/gm)].map(m => m[1])
    expect(new Set(named)).toEqual(new Set(readdirSync(path)))
  })
  it('stay as they are when they are made again', () => {
    const before = readAll()
    make()
    expect(readAll()).toEqual(before)
  })
  it.each([
    ['a known one', 'password'],
    ['an empty one', ''],
    ['one with a line break', `${good}\n`],
  ])('are refused with %s among them, which is not told', (_what, text) => {
    chmodSync(join(path, 'postgres_admin_password'), 0o600)
    writeFileSync(join(path, 'postgres_admin_password'), text)
    const { status, stderr } = check(path)
    expect(status).toBe(1)
    expect(stderr).toMatch(/^postgres_admin_password (is|has) /)
    expect(stderr).not.toContain(good)
  })
  it('are refused when there are none', () => {
    mkdirSync(folder.file('empty'))
    expect(check(folder.file('empty'))).toMatchObject({ status: 1 })
    expect(check(folder.file('none')).status).not.toBe(0)
  })
})

describe('the entrypoint of the image', () => {
  it('makes each mounted secret a file that its user alone can read, and becomes cryptos', () => {
    const stub = folder.file('home/bin/cryptos.mjs')
    mkdirSync(dirname(stub), { recursive: true })
    writeFileSync(
      stub,
      'process.stdout.write(JSON.stringify({ pid: process.pid, args: process.argv.slice(2) }))',
    )
    const [mounted, own] = [folder.file('mounted'), folder.file('own')]
    for (const path of [mounted, own]) mkdirSync(path)
    writeFileSync(join(mounted, 'cryptos_token'), good, { mode: 0o444 })
    const env = {
      PATH: `${dirname(process.execPath)}:${process.env['PATH']}`,
      ...{ SECRETS_DIR: mounted, PRIVATE_DIR: own, CRYPTOS_HOME: folder.file('home') },
    }
    // Twice, as a container that is started again.
    for (const _ of [1, 2]) {
      const run = spawnSync('sh', [deploy('entrypoint.sh'), 'process', '--sink', 'a b'], {
        encoding: 'utf8',
        env,
      })
      expect(run.stderr).toBe('')
      expect(JSON.parse(run.stdout)).toEqual({ pid: run.pid, args: ['process', '--sink', 'a b'] })
      expect(statSync(join(own, 'cryptos_token')).mode & 0o777).toBe(0o400)
      expect(readFileSync(join(own, 'cryptos_token'), 'utf8')).toBe(good)
    }
  })
})
