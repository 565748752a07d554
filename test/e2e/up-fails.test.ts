import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../host/clock.ts'
import { startSandbox } from '../../sandbox/server.ts'
import { expectNoTrace } from '../support/expectations.ts'
import { mayUnshare } from '../support/machine.ts'
import { cryptosLine, type Ended, type Env, lastJson, startLine } from '../support/program.ts'
import { untilPriced } from '../support/priced.ts'
import { useSandbox } from '../support/simulated.ts'

const simulated = useSandbox('up-fails')
const { place } = simulated

const settings = (folder: string): Env => ({
  ...simulated.env(folder),
  CRYPTOS_PROVIDERS: 'kraken',
  CRYPTOS_ASSETS: 'bitcoin',
  CRYPTOS_LOG_LEVEL: 'warn',
})
const line = cryptosLine(['up', '--port', '0', '--json'])

type Running = ReturnType<typeof startLine>

async function urlOf(running: Running): Promise<string> {
  await running.says('\n')
  return (JSON.parse(running.said.stdout.split('\n')[0] ?? '') as { url: string }).url
}

interface Health {
  readonly status: string
  readonly problems?: readonly { readonly name: string; readonly what: string }[]
}
const health = async (url: string): Promise<Health> =>
  (await (await fetch(new URL('/health', url))).json()) as Health
/** Gently: the page refuses those who ask too often. The test's own time limit is the only one. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(100)
}
const isServed = (url: string): Promise<boolean> =>
  fetch(url).then(
    () => true,
    () => false,
  )
const namesOf = ({ problems = [] }: Health): string[] => problems.map(p => p.name)

/** `up` with prices on its page; killed at the end if the test has not ended it. */
async function upOn(folder: string, command = line, env: Env = {}) {
  const running = startLine(command, { ...settings(folder), ...env })
  const kill = async (): Promise<void> => {
    running.child.kill('SIGKILL')
    await running.ended
  }
  try {
    return { running, url: await urlOf(running), [Symbol.asyncDispose]: kill }
  } catch (error) {
    await kill()
    throw error
  }
}

function change(folder: string, store: string, sql: string): void {
  const db = new DatabaseSync(place.file(`${folder}/sandbox/${store}.db`))
  db.exec('PRAGMA busy_timeout=10000')
  db.exec(sql)
  db.close()
}

/** It ended by itself: nobody signalled it, and nothing of it is left. */
async function expectGone(said: Ended, url: string, exit: number): Promise<void> {
  expectNoTrace(said)
  expect([said.code, said.signal]).toEqual([exit, null])
  expect(await isServed(url)).toBe(false)
}

describe.concurrent('a store that is damaged under a running `up`', () => {
  const wounds = [
    { store: 'series', sql: 'DROP TABLE touched' },
    { store: 'log', sql: 'DROP TABLE part' },
    { store: 'ledger', sql: 'DROP TABLE scopes' },
    { store: 'ledger', sql: 'UPDATE scopes SET state = \'{"v":9}\', version = version + 1' },
  ] as const
  it.each(wounds.map((wound, index) => ({ ...wound, folder: `wound-${index}` })))(
    '$store: $sql: it ends with 2 and says why; so does the next start',
    async ({ store, sql, folder }) => {
      await using up = await upOn(folder)
      await untilPriced(up.url)
      change(folder, store, sql)
      const said = await up.running.ended
      await expectGone(said, up.url, 2)
      const refusal = {
        outcome: 'misconfigured',
        code: 'CRY_STORE_CORRUPT',
        reason: expect.stringMatching(store === 'ledger' ? /ledger/ : new RegExp(`${store}\\.db is damaged`)),
      }
      expect(lastJson(said)).toMatchObject(refusal)
      const next = await startLine(line, settings(folder)).ended
      expect(next.code).toBe(2)
      expect(lastJson(next)).toMatchObject(refusal)
    },
  )
})

/** Every write and sync of one file fails from now on, as on a dying disk. */
const tearOff = (pid: number, file: string): Running =>
  startLine(
    [
      ...['strace', '-f', '-qq', '-o', '/dev/null', '-p', String(pid), '-P', file],
      ...['-e', 'trace=pwrite64,fdatasync,fsync', '-e', 'inject=pwrite64,fdatasync,fsync:error=EIO'],
    ],
    {},
  )
const strace =
  spawnSync('strace', ['-o', '/dev/null', '-e', 'inject=fdatasync:error=EIO:when=1', 'true']).status === 0
if (!strace) console.warn('SKIPPED: strace can not inject faults here, so a dying disk is not tried')

describe.skipIf(!strace).concurrent('a disk that dies under a running `up`', () => {
  it.each(['series', 'log', 'ledger'])(
    'at %s.db: it ends with 1, and the next start on a disk that is well works',
    async store => {
      const folder = `eio-${store}`
      await using up = await upOn(folder)
      await untilPriced(up.url)
      const tearing = tearOff(up.running.pid, place.file(`${folder}/sandbox/${store}.db-wal`))
      const said = await up.running.ended
      await tearing.ended
      await expectGone(said, up.url, 1)
      const reason = expect.stringMatching(
        new RegExp(`${store}\\.db failed .*start again after the disk is well`),
      )
      expect(lastJson(said)).toMatchObject({ outcome: 'failed', code: 'CRY_STORE_BROKEN', reason })
      await using again = await upOn(folder)
      await untilPriced(again.url)
      again.running.child.kill('SIGTERM')
      expect((await again.running.ended).code).toBe(0)
    },
  )
})

/** Name and outcome or code of each trouble that was logged, but for what a loaded machine makes slow now and then. */
const troublesOf = ({ stderr }: Pick<Ended, 'stderr'>): unknown[][] =>
  stderr
    .split('\n')
    .filter(text => text.includes('"name"') && !text.includes('another process'))
    .map(text => JSON.parse(text) as Record<string, unknown>)
    .map(({ name, outcome, code, msg }) => [name, outcome ?? code ?? msg])

/** Each trouble once, not once for each try. */
function expectLoggedOnce(said: Pick<Ended, 'stderr'>): void {
  const troubles = troublesOf(said).map(trouble => trouble.join(' '))
  expect(troubles).toEqual([...new Set(troubles)])
  expect(troubles.length).toBeGreaterThan(0)
}

describe.concurrent('a running `up`', () => {
  it('names a ledger that another process holds, and is well again after it', async () => {
    await using up = await upOn('busy')
    await untilPriced(up.url)
    const holder = new DatabaseSync(place.file('busy/sandbox/ledger.db'))
    holder.exec('PRAGMA busy_timeout=10000; BEGIN IMMEDIATE')
    try {
      await until(async () => namesOf(await health(up.url)).includes('ledger'))
    } finally {
      holder.exec('ROLLBACK')
      holder.close()
    }
    await until(async () => (await health(up.url)).status === 'ok')
  })
  it('names a provider that is down, and is well again when it is back', async () => {
    const own = await startSandbox({ clock: systemClock })
    try {
      await using up = await upOn('down', line, { CRYPTOS_SANDBOX_URL: own.url })
      await untilPriced(up.url)
      own.faults.add({ kind: 'server-error', charged: false, times: 1 })
      await until(async () => namesOf(await health(up.url)).includes('collect.kraken.quotes'))
      await until(async () => (await health(up.url)).status === 'ok')
      expect(troublesOf(up.running.said)).toContainEqual(['collect.kraken.quotes', 'provider-error'])
      expectLoggedOnce(up.running.said)
    } finally {
      await own.close()
    }
  })
})

const mayMount = mayUnshare('-m')

describe.skipIf(!mayMount)('a disk that is full under a running `up`', () => {
  it('is named, and all is well again by itself as soon as there is room', async () => {
    mkdirSync(place.file('full'), { mode: 0o700 })
    // The mount is seen by `up` alone, so the disk is filled and emptied from inside: at the test's word on standard input.
    const script =
      'mount -t tmpfs -o size=12m none "$CRYPTOS_DATA_DIR" && { "$@" & } && read word; ' +
      'cat /dev/zero >"$CRYPTOS_DATA_DIR"/fill 2>/dev/null; read word; rm "$CRYPTOS_DATA_DIR"/fill; read word; kill -TERM $!; wait $! && "$1" "$2" audit --json'
    const command = ['unshare', '-m', 'sh', '-c', script, 'sh', ...line]
    await using up = await upOn('full', command)
    const go = (): void => void up.running.child.stdin.write('go\n')
    await untilPriced(up.url)
    await until(async () => (await health(up.url)).status === 'ok')
    go()
    await until(async () => namesOf(await health(up.url)).includes('disk'))
    // Not only foreseen: work fails, and is told by the name of what fails.
    await until(async () => namesOf(await health(up.url)).some(name => name !== 'disk'))
    go()
    await until(async () => (await health(up.url)).status === 'ok')
    go()
    const said = await up.running.ended
    expectNoTrace(said)
    expect(said.code).toBe(0)
    expect(lastJson(said)).toMatchObject({ outcome: 'collected', differences: [] })
    expectLoggedOnce(said)
  })
})
