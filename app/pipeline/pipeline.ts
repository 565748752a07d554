import { schedule } from 'node-cron'
import type { Clock } from '../../core/ports/clock.ts'
import { HOUR, SECOND } from '../../core/time.ts'
import { type Collecting, openCollecting } from '../collecting.ts'
import type { Config } from '../config/load.ts'
import { errorFields, type Log } from '../log.ts'
import { openSink, runProcessing } from '../processing.ts'
import type { Source } from '../source.ts'
import { keepHouse } from './housekeeping.ts'
import { Ticker } from './ticker.ts'

export interface PipelineOptions {
  readonly config: Config
  readonly source: Source
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
  /** Called once, when all stores are open. */
  readonly onReady: () => void
  readonly onProblem: (name: string, what: string | null) => void
}

/**
 * Schedule → quota ledger → provider → outbox → topic → micro-batch → store, until the signal fires.
 * @throws CryptosError when a store can not be opened, or delivery had to stop
 */
export async function runPipeline(options: PipelineOptions): Promise<void> {
  const { config, source, clock, log, signal, onProblem } = options
  const collecting = await openCollecting(options, source)
  const sink = await openSink(source, clock)
  const broker = await collecting.broker()
  const failed = new AbortController()
  const ending = AbortSignal.any([signal, failed.signal])
  const processing = runProcessing({ config, broker, sink, clock, log, onProblem }, ending)
  processing.catch((error: unknown) => failed.abort(error))
  const stopTicks = startTicks(options, collecting, ending)
  try {
    options.onReady()
    await processing
  } finally {
    failed.abort()
    await stopTicks()
    await sink.close()
    await collecting.close()
  }
}

/** node-cron every second asks who is due; the rest has a rhythm of its own. Returns what ends it. */
function startTicks(
  options: PipelineOptions,
  collecting: Collecting,
  signal: AbortSignal,
): () => Promise<void> {
  const { config, clock, log } = options
  const ticker = new Ticker({ ...options, collecting, signal })
  const tick = (): Promise<void> =>
    ticker.tick().catch((error: unknown) => log.error(errorFields(error), 'a tick failed'))
  const task = schedule('* * * * * *', tick, { noOverlap: true, name: 'collect' })
  const house = async (): Promise<void> => {
    await keepHouse({ config, ledger: collecting.ledger, broker: await collecting.broker(), clock, log })
  }
  const hourly = setInterval(() => void house(), HOUR)
  const first = setTimeout(() => void house(), 10 * SECOND)
  void tick()
  return async () => {
    clearInterval(hourly)
    clearTimeout(first)
    await task.stop()
    await task.destroy()
    await ticker.settled()
  }
}
