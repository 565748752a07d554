import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'vitest'
import { runJudging } from '../../app/judging.ts'
import { createLog } from '../../app/log.ts'
import { topics } from '../../app/stores.ts'
import { sweep } from '../../app/sweep.ts'
import type { Clock } from '../../core/ports/clock.ts'
import type { Quote } from '../../core/records.ts'
import { MINUTE, parseIso, SECOND } from '../../core/time.ts'
import { createClockFile, moveClockFile, openClockFile } from '../../sandbox/clock-file.ts'
import { type Sandbox, startSandbox } from '../../sandbox/server.ts'
import { storedQuotes } from './judge.ts'
import { type Ended, runCryptos, until } from './program.ts'
import { openRig, type Rig } from './rig.ts'
import { scratch } from './scratch.ts'

/** Prices of three sources, figures, and a history: closes of weeks ago, and gaps where it has none. */
const env = { CRYPTOS_PROVIDERS: 'coinmarketcap,kraken,coinbase,coindesk' }
const prices = ['coinmarketcap/quotes', 'kraken/quotes', 'coinbase/quotes']
const beside = ['coinmarketcap/global', 'coindesk/tick-history']

export interface Difference {
  readonly kind: string
  readonly in: string
  readonly group: string
  readonly id: string
}

export type Planted = Ended & { readonly json: Record<string, unknown>; readonly changed: number }
export type StoreFile = 'series.db' | 'log.db' | 'ledger.db'

/** Data of a whole path, collected, judged and stored without a fault, of which copies are harmed. */
export class GoodData {
  readonly sandbox: Sandbox
  readonly clock: Clock
  readonly dataDir: string
  readonly #folder: ReturnType<typeof scratch>
  readonly #clockFile: string
  private constructor(folder: ReturnType<typeof scratch>, sandbox: Sandbox, clock: Clock) {
    this.#folder = folder
    this.#clockFile = folder.file('clock')
    this.sandbox = sandbox
    this.clock = clock
    this.dataDir = folder.file('good')
  }

  static async make(name: string): Promise<GoodData> {
    const folder = scratch(name)
    const clockFile = folder.file('clock')
    createClockFile(clockFile, parseIso('2026-11-21T12:30:00Z'))
    const clock = openClockFile(clockFile)
    const data = new GoodData(folder, await startSandbox({ clock }), clock)
    const rig = await data.rig()
    await collectAll(rig, beside)
    for (let turn = 0; turn < 3; turn += 1) {
      await collectAll(rig, prices)
      data.advance(MINUTE)
    }
    await rig.ports.publish?.()
    await judgeOnce(rig, data)
    await rig.drain()
    await rig.close()
    return data
  }

  advance(ms: number): void {
    moveClockFile(this.#clockFile, { advanceMs: ms })
  }

  rig(dataDir = this.dataDir): Promise<Rig> {
    return openRig({ dataDir, sandboxUrl: this.sandbox.url, clock: this.clock, env })
  }

  file(name: StoreFile): string {
    return join(this.dataDir, 'sandbox', name)
  }

  /** Every row of a series. */
  async series(provider: string, asset: string): Promise<readonly Quote[]> {
    const all = await storedQuotes(this.file('series.db'))
    return all.filter(q => q.provider === provider && q.asset === asset)
  }

  audit(
    dataDir = this.dataDir,
    args: readonly string[] = [],
  ): Promise<Ended & { json: Record<string, unknown> }> {
    return this.run(['audit', ...args], dataDir)
  }

  /** The program on this data. */
  run(args: readonly string[], dataDir = this.dataDir): Promise<Ended & { json: Record<string, unknown> }> {
    return runCryptos(args, {
      ...env,
      CRYPTOS_DATA_DIR: dataDir,
      CRYPTOS_SOURCE: 'sandbox',
      CRYPTOS_SANDBOX_CLOCK_FILE: this.#clockFile,
    })
  }

  copy(name: string): string {
    const dataDir = this.#folder.file(name)
    cpSync(this.dataDir, dataDir, { recursive: true })
    return dataDir
  }

  /** Does harm to a copy of the good data, and audits it. */
  plant(name: string, file: StoreFile, harm: (db: DatabaseSync) => unknown): Promise<Planted> {
    return this.plantIn(this.copy(name), file, harm)
  }

  async plantIn(dataDir: string, file: StoreFile, harm: (db: DatabaseSync) => unknown): Promise<Planted> {
    const db = new DatabaseSync(join(dataDir, 'sandbox', file))
    // A plant that does nothing would prove nothing.
    const before = Number(db.prepare('SELECT total_changes() AS n').get()?.['n'])
    harm(db)
    const changed = Number(db.prepare('SELECT total_changes() AS n').get()?.['n']) - before
    db.close()
    return { ...(await this.audit(dataDir)), changed }
  }

  async close(): Promise<void> {
    await this.sandbox.close()
    this.#folder[Symbol.dispose]()
  }
}

/** Asks once for some datasets. */
async function collectAll(rig: Rig, datasets: readonly string[]): Promise<void> {
  for (const name of datasets) {
    const [provider, id] = name.split('/')
    const route = rig.collecting.routes.find(r => r.provider.id === provider)!
    const dataset = route.provider.datasets.find(d => d.id === id)!
    const task = { route, dataset, config: rig.config, period: 'now' } as const
    const { outcome } = await sweep(rig.ports, { ...task, signal: new AbortController().signal })
    expect([name, outcome]).toEqual([name, name === 'coindesk/tick-history' ? 'partial' : 'collected'])
  }
}

/** Lets the judge see all prices and tell one minute. */
async function judgeOnce(rig: Rig, data: GoodData): Promise<void> {
  const broker = await rig.collecting.broker()
  const stop = new AbortController()
  const log = createLog('silent', [])
  const { config, source } = rig
  const judging = runJudging(
    { config, source, broker, clock: data.clock, log, onProblem: () => undefined },
    stop.signal,
  )
  const hasTold = async (): Promise<boolean> =>
    (await broker.partitions(topics.consensus.name)).some(state => state.end > 0)
  await until(async () => {
    data.advance(SECOND)
    return await hasTold()
  })
  stop.abort()
  await judging
}

/** Another value with as many digits. */
export const lastDigit = (price: string): string => `${price.slice(0, -1)}${price.endsWith('7') ? '3' : '7'}`
