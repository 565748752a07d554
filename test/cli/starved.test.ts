import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { isOutcome } from '../../core/outcomes.ts'
import { systemClock } from '../../host/clock.ts'
import type { FaultSpec } from '../../sandbox/faults.ts'
import { type Sandbox, sandboxKey, startSandbox } from '../../sandbox/server.ts'
import { expectNoTrace } from '../support/expectations.ts'
import { inTurn, mayUnshare } from '../support/machine.ts'
import {
  cryptos,
  cryptosLine,
  type Ended,
  type Env,
  lastJson,
  program,
  type Running,
  startLine,
} from '../support/program.ts'
import { untilPriced } from '../support/priced.ts'
import { scratch } from '../support/scratch.ts'

const place = scratch('starved')
const keyFile = place.file('key')
writeFileSync(keyFile, sandboxKey, { mode: 0o600 })
afterAll(() => place[Symbol.dispose]())

async function openOwn(...faults: readonly FaultSpec[]): Promise<Sandbox & AsyncDisposable> {
  const own = await startSandbox({ clock: systemClock, faults })
  return Object.assign(own, { [Symbol.asyncDispose]: () => own.close() })
}

function settings(folder: string, sandbox: Sandbox): Env {
  mkdirSync(place.file(folder), { recursive: true, mode: 0o700 })
  return {
    CRYPTOS_SOURCE: 'sandbox',
    CRYPTOS_SANDBOX_URL: sandbox.url,
    CRYPTOS_DATA_DIR: place.file(folder),
    CRYPTOS_LOG_LEVEL: 'error',
  }
}

const collect = ['collect', 'coinmarketcap', '--now', '--assets', 'bitcoin,xrp', '--json'] as const

/** An honest end: an outcome of the list with a reason, no stack trace, no key. */
function expectHonest(said: Ended): Record<string, unknown> {
  expectNoTrace(said)
  expect(`${said.stdout}${said.stderr}`).not.toContain(sandboxKey)
  expect(said.signal).toBeNull()
  const json = lastJson(said)
  expect(isOutcome(String(json['outcome']))).toBe(true)
  expect(json['reason']).toMatch(/\S{3}/)
  return json
}

/** The most memory that a process had, in MB, seen while it ran. */
async function peakMb(running: Running): Promise<number> {
  let most = 0
  while (running.child.exitCode === null && running.child.signalCode === null) {
    const file = `/proc/${running.pid}/status`
    const text = existsSync(file) ? readFileSync(file, 'latin1') : ''
    most = Math.max(most, Number(/VmHWM:\s+(\d+) kB/.exec(text)?.[1] ?? 0) / 1_000)
    await sleep(10)
  }
  return most
}

const small = (args: readonly string[]): string[] => [
  ...[process.execPath, '--max-old-space-size=64', '--max-semi-space-size=2'],
  ...[program, ...args],
]

describe.skipIf(process.platform !== 'linux')('64 MB of memory', () => {
  const large: readonly (readonly [string, FaultSpec, Record<string, unknown>])[] = [
    ['the largest answer that is allowed', { kind: 'big-body', bytes: 12_000_000 }, { outcome: 'collected' }],
    ['one byte more', { kind: 'big-body', bytes: 12_000_001 }, { code: 'CRY_HTTP_TOO_LARGE' }],
    ['a gzip bomb of 2 GB', { kind: 'gzip-bomb', megabytes: 2_000 }, { code: 'CRY_HTTP_TOO_LARGE' }],
    ['a body without an end', { kind: 'endless-body' }, { code: 'CRY_HTTP_TOO_LARGE' }],
  ]
  it.each(large)('are enough for %s', async (name, fault, expected) => {
    await using own = await openOwn({ ...fault, endpoint: 'quotes' })
    const running = startLine(small(collect), settings(name.replaceAll(' ', '-'), own))
    const peak = await peakMb(running)
    const said = await running.ended
    const json = expectHonest(said)
    expect(own.faults.hits(fault.kind)).toBe(1)
    expect(json).toMatchObject(expected)
    expect(said.code).toBe(expected['outcome'] === 'collected' ? 0 : 1)
    expect(peak).toBeGreaterThan(30)
    expect(peak).toBeLessThan(300)
  })

  it('are enough for the whole path, which stores and shows its prices', async () => {
    await using own = await openOwn()
    const running = startLine(small(['up', '--port', '0', '--json']), settings('whole', own))
    await running.says('\n')
    const { url } = JSON.parse(running.said.stdout.split('\n')[0] ?? '') as { url: string }
    await untilPriced(url)
    running.child.kill('SIGTERM')
    const said = await running.ended
    expectNoTrace(said)
    expect(said.code).toBe(0)
  })
})

describe('few open files', () => {
  const within = (files: number, args: readonly string[], env: Env): Promise<Ended> =>
    startLine(['sh', '-c', `ulimit -n ${files}; exec "$@"`, 'sh', ...cryptosLine(args)], env).ended

  it('are enough at 32 for a collect', async () => {
    await using own = await openOwn()
    const said = await within(32, collect, settings('files-32', own))
    expect(expectHonest(said)).toMatchObject({ outcome: 'collected', records: 2 })
  })

  it('are told where they are not, nothing is lost, and the next run needs no repair', async () => {
    await using own = await openOwn()
    const trials = await inTurn([22, 23, 24, 25, 26, 27, 28], async files => {
      const env = settings(`files-${files}`, own)
      return { env, said: await within(files, collect, env) }
    })
    // With still fewer Node itself can not begin, and says nothing.
    const told = trials.filter(({ said }) => said.code === 1 || said.code === 2)
    const starved = told.filter(({ said }) => said.stdout.trim() !== '')
    expect(starved.length).toBeGreaterThan(2)
    for (const { said } of starved) {
      const json = expectHonest(said)
      expect([said.code, json['outcome'], json['code']]).toEqual([1, 'failed', 'CRY_TOO_MANY_FILES'])
      expect(json['reason']).toMatch(/EMFILE|too many open files/)
      expect(json['remedy']).toContain('ulimit -n')
    }
    for (const { env } of told) {
      const slot = ['--slot', '2026-01-01T00:00:00Z']
      const again = await cryptos(['collect', 'kraken', '--assets', 'bitcoin', ...slot, '--json'], env)
      expect(lastJson(again)).toMatchObject({ outcome: 'collected', records: 1 })
    }
    expect(own.meter.violations).toBe(0)
  })

  it('are told by `up` too', async () => {
    await using own = await openOwn()
    await inTurn([24, 28, 32, 36, 38], async files => {
      const env = settings(`files-up-${files}`, own)
      const said = await within(files, ['up', '--port', '0', '--json'], env)
      expectNoTrace(said)
      expect([files, said.code, lastJson(said)['code']]).toEqual([files, 1, 'CRY_TOO_MANY_FILES'])
    })
  })
})

describe.skipIf(!mayUnshare('-n'))('without a name service', () => {
  it.each(['kraken', 'coinmarketcap'])(
    '%s: nothing is sent, nothing is charged, no key is shown',
    async id => {
      const env: Env = {
        CRYPTOS_SOURCE: 'live',
        CRYPTOS_DATA_DIR: place.file(`dns-${id}`),
        ...(id === 'coinmarketcap' ? { COINMARKETCAP_API_KEY_FILE: keyFile } : {}),
      }
      mkdirSync(place.file(`dns-${id}`), { mode: 0o700 })
      const line = cryptosLine(['collect', id, '--now', '--assets', 'bitcoin', '--json'])
      const said = await startLine(['unshare', '-n', ...line], env).ended
      const json = expectHonest(said)
      expect([said.code, json['outcome'], json['code']]).toEqual([1, 'transport-error', 'CRY_HTTP_NETWORK'])
      expect(json['reason']).toMatch(/\((EAI_AGAIN|ENOTFOUND)\)/)
      expect(json['credits']).toBe(0)
    },
  )
})
