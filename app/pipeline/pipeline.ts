import { schedule } from 'node-cron'
import type { Clock } from '../../core/ports/clock.ts'
import { openCollecting } from '../collecting.ts'
import type { Config } from '../config/load.ts'
import { partsOf } from '../config/parts.ts'
import { errorFields, type Log } from '../log.ts'
import { runJudging } from '../judging.ts'
import { openStore } from '../open-store.ts'
import type { Source } from '../source.ts'
import { runStores, type StoreToRun } from '../storing.ts'
import type { OnProblem } from './problems.ts'
import { Ticker, type TickerOptions } from './ticker.ts'

export interface PipelineOptions {
  readonly config: Config
  readonly source: Source
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
  /** Called once, when all stores are open. */
  readonly onReady: () => void
  readonly onProblem: OnProblem
}

/**
 * Schedule → quota ledger → provider → outbox → topic → micro-batch → store, until the signal fires.
 * @throws CryptosError when a store can not be opened, or an error came that no other try can mend; all is closed then
 */
export async function runPipeline(options: PipelineOptions): Promise<void> {
  const opened = new AsyncDisposableStack()
  // What can not be closed must not hide why it is closed.
  const closeLater = (close: () => Promise<void>): void =>
    opened.defer(() => close().catch(error => options.log.warn(errorFields(error), 'a store was not closed')))
  try {
    await run(options, closeLater)
  } finally {
    await opened.disposeAsync()
  }
}

async function run(
  options: PipelineOptions,
  closeLater: (close: () => Promise<void>) => void,
): Promise<void> {
  const { source, signal } = options
  const collecting = await openCollecting(options, source)
  closeLater(() => collecting.close())
  const stores = await openStores(options, closeLater)
  const broker = await collecting.broker()
  const failed = new AbortController()
  const ending = AbortSignal.any([signal, failed.signal])
  const onStop = (error: unknown): void => failed.abort(error)
  const stopTicks = startTicks({ ...options, collecting, signal: ending, onStop })
  closeLater(async () => {
    failed.abort()
    await stopTicks()
  })
  const processing = runStores({ ...options, broker }, stores, ending)
  // The store goes on where the judge can not: what is no longer judged is told, what is no longer stored would be lost.
  const judging = runJudging({ ...options, broker }, ending).catch(onStop)
  options.onReady()
  await Promise.all([processing, judging])
  if (failed.signal.aborted) throw failed.signal.reason
}

/** The page shows what the SQLite store has: that is there before the page is. The others come when they can. */
async function openStores(
  options: PipelineOptions,
  closeLater: (close: () => Promise<void>) => void,
): Promise<readonly StoreToRun[]> {
  const sqlite = await openStore('sqlite', options)
  let isTaken = false
  closeLater(async () => (isTaken ? undefined : await sqlite.close()))
  const take = async () => {
    isTaken = true
    return sqlite
  }
  const others = partsOf(options.config).stores.filter(name => name !== 'sqlite')
  return [
    { name: 'sqlite', open: take, isEssential: true },
    ...others.map(name => ({ name, open: () => openStore(name, options) })),
  ]
}

/** node-cron every second asks who is due. Returns what ends it. */
function startTicks(options: TickerOptions): () => Promise<void> {
  const ticker = new Ticker(options)
  const task = schedule('* * * * * *', () => ticker.tick(), { noOverlap: true, name: 'collect' })
  ticker.tick()
  return async () => {
    await task.stop()
    await task.destroy()
    await ticker.settled()
  }
}
