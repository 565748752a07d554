import { cpSync, mkdirSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'vitest'
import { isOutcome } from '../../core/outcomes.ts'
import { systemClock } from '../../host/clock.ts'
import { totalOf } from '../../quota/policy/buckets.ts'
import { decodeState } from '../../quota/policy/state.ts'
import { startSandbox } from '../../sandbox/server.ts'
import { expectNoTrace } from './expectations.ts'
import { cryptosLine, type Ended, type Env, lastJson, startLine } from './program.ts'

/** What a ledger that was cut off still knows: calls of the last minute, made or reserved. */
function callsInLedger(file: string): number {
  const db = new DatabaseSync(file)
  try {
    const known = db.prepare(`SELECT count(*) AS n FROM sqlite_schema WHERE name = 'scopes'`).get()
    if (known?.['n'] !== 1) return 0
    const rows = db.prepare('SELECT state FROM scopes').all()
    return rows.reduce((sum, row) => {
      const state = decodeState(String(row['state']))
      return state.provider !== 'coinbase' ? sum : sum + totalOf(state.calls)
    }, 0)
  } finally {
    db.close()
  }
}

export interface Trial {
  readonly name: string
  readonly said: Ended
  readonly calls: number
  readonly inLedger: number
}

/** One collect in a folder where a fault is at work; afterwards, what the provider saw and what the ledger knows. */
export async function diskTrial(
  place: { file(name: string): string },
  name: string,
  script: string,
  base?: string,
): Promise<Trial> {
  const own = await startSandbox({ clock: systemClock })
  const out = place.file(`trial-${name}`)
  mkdirSync(out)
  try {
    const env: Env = {
      CRYPTOS_SOURCE: 'sandbox',
      CRYPTOS_SANDBOX_URL: own.url,
      CRYPTOS_LOG_LEVEL: 'error',
      OUT: out,
      DATA: place.file(`disk-${name}`),
      CRYPTOS_DATA_DIR: place.file(`disk-${name}`),
    }
    if (base === undefined) mkdirSync(place.file(`disk-${name}`), { mode: 0o700 })
    else cpSync(place.file(base), place.file(`disk-${name}`), { recursive: true })
    const line = cryptosLine(['collect', 'coinbase', '--now', '--assets', 'bitcoin', '--json'])
    const said = await startLine(['sh', '-c', script, 'sh', ...line], env).ended
    return { name, said, calls: own.meter.entries().length, inLedger: callsInLedger(`${out}/ledger.db`) }
  } finally {
    await own.close()
  }
}

/** No call without a durable reservation; an outcome of the list; worth a retry; no trace. */
export function expectHonest({ said, calls: seen, inLedger }: Trial): void {
  expectNoTrace(said)
  expect(inLedger).toBeGreaterThanOrEqual(seen)
  const json = lastJson(said)
  expect(isOutcome(String(json['outcome']))).toBe(true)
  expect(json['reason']).toBeTypeOf('string')
}
