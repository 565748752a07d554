import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../host/clock.ts'
import { startSandbox } from '../../sandbox/server.ts'
import { diskTrial, expectHonest } from '../support/disk-trial.ts'
import { inTurn } from '../support/machine.ts'
import { cryptos, type Env, lastJson } from '../support/program.ts'
import { scratch } from '../support/scratch.ts'

const place = scratch('failing-disk')
const settings = (folder: string, url: string): Env => ({
  CRYPTOS_SOURCE: 'sandbox',
  CRYPTOS_SANDBOX_URL: url,
  CRYPTOS_DATA_DIR: place.file(folder),
})
const strace =
  spawnSync('strace', ['-o', '/dev/null', '-e', 'inject=pwrite64:error=EIO:when=1', 'true']).status === 0
if (!strace) console.warn('SKIPPED: strace can not inject faults here, so a failing disk is not tried')

/** One collect makes about 80 writes and 16 syncs. `EVERY_FAULT=1` tries each of the first 50, not every fifth. */
const step = process.env['EVERY_FAULT'] === '1' ? 1 : 5
const timeout = step === 1 ? 3_600_000 : 600_000
const upTo = (most: number): number[] =>
  Array.from({ length: Math.ceil(most / step) }, (_, index) => 1 + index * step)
const points = [
  ...upTo(50).map(k => ({ calls: 'pwrite64', k })),
  ...upTo(16).map(k => ({ calls: 'fdatasync,fsync', k })),
  ...[1, 2, 3].map(k => ({ calls: 'ftruncate', k })),
]

const inject = (calls: string, k: number): string =>
  `strace -f --seccomp-bpf -qq -o "$OUT"/trace -e trace=${calls} -e inject=${calls}:error=EIO:when=${k} "$@"; code=$?; cp "$DATA"/sandbox/ledger.db* "$OUT"; exit $code`

beforeAll(async () => {
  const sandbox = await startSandbox({ clock: systemClock })
  const env = settings('base', sandbox.url)
  expect((await cryptos(['collect', 'kraken', '--now'], env)).code).toBe(0)
  expect((await cryptos(['export'], env)).code).toBe(0)
  await sandbox.close()
})
afterAll(() => place[Symbol.dispose]())

/** On a disk that is well again: what the ledger took is published, and all stores agree; none has to be repaired. */
async function expectWell(folder: string): Promise<number> {
  const env = settings(folder, 'http://127.0.0.1:9')
  // A publisher that ended without giving back its lease still holds it for a while.
  let published = await cryptos(['publish', '--json'], env)
  while (lastJson(published)['outcome'] === 'in-flight') {
    await sleep(1_000)
    published = await cryptos(['publish', '--json'], env)
  }
  expect([folder, published.code, published.stdout]).toEqual([folder, 0, expect.any(String)])
  const audit = lastJson(await cryptos(['audit', '--json'], env))
  expect(audit).toMatchObject({ outcome: 'collected', differences: [] })
  return (audit['rows'] as { topic: number }).topic
}

describe.skipIf(!strace)('a disk that fails once, at the k-th write, sync or cut', { timeout }, () => {
  it('never leads to a call without a durable reservation; nothing acknowledged is lost', async () => {
    const ends = await inTurn(
      points,
      async ({ calls, k }) => {
        const trial = await diskTrial(place, `${calls}-${k}`, inject(calls, k), 'base')
        const hit = readFileSync(place.file(`trial-${trial.name}/trace`), 'utf8').includes('EIO')
        expectHonest(trial)
        const rows = await expectWell(`disk-${trial.name}`)
        const { code } = trial.said
        expect([0, 1, 2]).toContain(code)
        // Six prices of the base, and the paid one where the run said that it has it: twice where the topic took it before the mark failed.
        const { outcome } = lastJson(trial.said)
        if (outcome === 'collected') expect([7, 8], trial.name).toContain(rows)
        if (trial.calls === 0) expect(rows).toBe(6)
        return { hit, what: `exit ${code} after ${trial.calls} calls` }
      },
      2,
    )
    // The fault really hit, before the call and after it.
    expect(ends.filter(end => end.hit).length).toBeGreaterThan(points.length / 2)
    const failed = new Set(ends.filter(end => end.hit).map(end => end.what))
    expect(failed).toContain('exit 1 after 0 calls')
    expect(failed).toContain('exit 1 after 1 calls')
  })
})
