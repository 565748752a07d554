import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Credits, ProviderId } from '../core/brands.ts'
import type { Ledger } from '../core/ports/ledger.ts'
import { systemClock } from '../host/clock.ts'
import { openSqliteLedger } from '../quota/ledgers/sqlite.ts'
import { slotOf } from '../quota/pages.ts'
import { type BenchLine, median, percentile } from './line.ts'

/** Many short rounds: what else runs on the machine then hits both sides alike. */
const rounds = 31
const commits = 100
const callers = 8
const permitsEach = 25
const single = 40
const scope = 'key:0123456789abcdef'
const provider = ProviderId('coinmarketcap')

/** One fsynced row a commit, with nothing around it: what SQLite can do here and now. */
function bareLoop(db: DatabaseSync): { perSecond: number; p50Ms: number } {
  const insert = db.prepare('INSERT INTO t(v) VALUES (?)')
  const text = 'x'.repeat(100)
  const times: number[] = []
  const begun = performance.now()
  for (let i = 0; i < commits; i += 1) {
    const at = performance.now()
    insert.run(text)
    times.push(performance.now() - at)
  }
  return { perSecond: (commits / (performance.now() - begun)) * 1_000, p50Ms: median(times) }
}

let count = 0
/** A permit of its own slot, reserved and settled. Returns how long the reserve took. */
async function permit(ledger: Ledger): Promise<{ reserveMs: number; permitMs: number }> {
  count += 1
  const reservationId = `bench-${count}`
  const slot = slotOf(provider, 'quotes', systemClock.now(), { index: count, name: 'bench' })
  const at = performance.now()
  const asked = { scope, reservationId, slot, costMax: Credits(1), now: systemClock.now() }
  const decision = await ledger.reserve(asked)
  const reserveMs = performance.now() - at
  if (decision.kind !== 'granted') throw new Error(`the bench was denied: ${JSON.stringify(decision)}`)
  const now = systemClock.now()
  const charge = { kind: 'known', credits: Credits(1) } as const
  await ledger.settle({ scope, reservationId, charge, providerDate: now, now, why: 'HTTP 200' })
  return { reserveMs, permitMs: performance.now() - at }
}

async function batched(ledger: Ledger): Promise<{ perSecond: number; times: number[] }> {
  const times: number[] = []
  const begun = performance.now()
  const caller = async () => {
    for (let i = 0; i < permitsEach; i += 1) times.push((await permit(ledger)).permitMs)
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return { perSecond: ((callers * permitsEach) / (performance.now() - begun)) * 1_000, times }
}

async function sequential(ledger: Ledger): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < single; i += 1) times.push((await permit(ledger)).reserveMs)
  return median(times)
}

function openBare(file: string): DatabaseSync {
  const db = new DatabaseSync(file)
  db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT)')
  return db
}

async function openBench(file: string): Promise<Ledger> {
  const ledger = await openSqliteLedger({ file, clock: systemClock })
  const limits = { plan: 'bench', creditsPerMonth: 1e9, creditsPerDay: null, callsPerMinute: 1e9 }
  await ledger.openScope({ scope, provider, limits, hasUsage: true, owned: true }, systemClock.now())
  return ledger
}

/**
 * [permit-batched] and [permit-single] against a bare loop of single-row FULL commits, interleaved in the same run; the ratio is
 * taken within each round, the median over the rounds. The A/A line runs the bare loop twice in each round.
 */
export async function benchPermits(): Promise<BenchLine[]> {
  const dir = mkdtempSync(join(tmpdir(), 'cryptos-bench-permits-'))
  const bare = openBare(join(dir, 'bare.db'))
  const ledger = await openBench(join(dir, 'ledger.db'))
  try {
    await warmUp(bare, ledger)
    return summary(await measure(bare, ledger))
  } finally {
    await ledger.close()
    bare.close()
    rmSync(dir, { recursive: true })
  }
}

/** Until both write-ahead logs have been written over once: a growing file is slower than a grown one. */
async function warmUp(bare: DatabaseSync, ledger: Ledger): Promise<void> {
  for (let i = 0; i < 40; i += 1) {
    bareLoop(bare)
    await batched(ledger)
  }
}

interface Round {
  readonly bare: number
  readonly again: number
  readonly permits: number
  readonly times: readonly number[]
  readonly batchedRatio: number
  readonly singleRatio: number
}

async function measure(bare: DatabaseSync, ledger: Ledger): Promise<Round[]> {
  const results: Round[] = []
  for (let round = 0; round < rounds; round += 1) {
    const first = bareLoop(bare)
    const many = await batched(ledger)
    const one = await sequential(ledger)
    const again = bareLoop(bare)
    const perSecond = (first.perSecond + again.perSecond) / 2
    results.push({
      bare: first.perSecond,
      again: again.perSecond,
      permits: many.perSecond,
      times: many.times,
      batchedRatio: many.perSecond / perSecond,
      singleRatio: one / ((first.p50Ms + again.p50Ms) / 2),
    })
  }
  return results
}

function summary(results: readonly Round[]): BenchLine[] {
  const batchedRatio = median(results.map(r => r.batchedRatio))
  const singleRatio = median(results.map(r => r.singleRatio))
  const bare = Math.round(median(results.map(r => r.bare)))
  const permits = Math.round(median(results.map(r => r.permits)))
  const p99 = percentile(
    results.flatMap(r => r.times),
    0.99,
  )
  const all = `${permits}/s against ${bare} bare commits/s`
  const round2 = (n: number) => Math.round(n * 100) / 100
  return [
    {
      name: 'permit-batched',
      value: round2(batchedRatio),
      unit: 'x bare commits/s',
      bar: 2,
      ok: batchedRatio >= 2,
      note: `${all}; p99 of reserve + settle ${p99.toFixed(2)} ms, ${callers} callers`,
    },
    {
      name: 'permit-single',
      value: round2(singleRatio),
      unit: 'x one bare commit, p50',
      bar: 3,
      ok: singleRatio <= 3,
    },
    { name: 'permit-per-second', value: permits, unit: 'permits/s', bar: null, ok: true, note: all },
    {
      name: 'permit-a/a',
      value: round2(median(results.map(r => r.again / r.bare))),
      unit: 'bare loop against itself',
      bar: null,
      ok: true,
      note: `batched ratios of the rounds, quartiles: ${[0.25, 0.5, 0.75]
        .map(q =>
          round2(
            percentile(
              results.map(r => r.batchedRatio),
              q,
            ),
          ),
        )
        .join(' ')}`,
    },
  ]
}

if (import.meta.main) for (const line of await benchPermits()) console.log(JSON.stringify(line))
