import { lockStore } from '../store-lock.ts'
import type { DeliverCounters } from '../../processors/deliver.ts'
import { type JudgingPorts, runJudging } from '../judging.ts'
import { openSink, type ProcessingPorts, runProcessing } from '../processing.ts'
import { HOUR } from '../../core/time.ts'
import { errorFields } from '../log.ts'
import { keepStore, type StoreHousePorts } from '../pipeline/housekeeping.ts'
import { Problems } from '../pipeline/problems.ts'
import { stopped } from '../result.ts'
import { settledSource } from '../settled-source.ts'
import { openBroker, prepareFolder } from '../stores.ts'
import { using } from '../using.ts'
import { type Action, type Define, sourceOption, withSource } from './command.ts'

const run: Action = async context => {
  const { config, clock, log, signal } = context
  const source = settledSource(context)
  prepareFolder(source.folder)
  const unlock = lockStore(source.folder)
  try {
    return await using(await openBroker(config, source, clock), async broker =>
      using(await openSink(source, clock), async sink => {
        context.print(`Storing into ${source.folder}. Ctrl-C stops it.`)
        const counters = await storeAndJudge({ config, source, broker, sink, clock, log }, signal)
        const { written, superseded, dead } = counters
        return stopped(`stored ${written}, superseded ${superseded}, dead ${dead}`, { ...counters })
      }),
    )
  } finally {
    unlock()
  }
}

type Ports = Omit<ProcessingPorts & JudgingPorts, 'onProblem'>

/** Both until the signal fires; what ends one for good ends the other. */
async function storeAndJudge(ports: Ports, signal: AbortSignal): Promise<DeliverCounters> {
  const failed = new AbortController()
  const ending = AbortSignal.any([signal, failed.signal])
  const onProblem = new Problems(undefined, ports.log).set
  const stop = (error: unknown): never => {
    failed.abort()
    throw error
  }
  const [counters] = await Promise.all([
    runProcessing({ ...ports, onProblem }, ending).catch(stop),
    runJudging({ ...ports, onProblem }, ending).catch(stop),
    keepStoreHourly({ ...ports, store: ports.sink.market }, ending),
  ])
  return counters
}

/** What fails waits for the next hour. */
async function keepStoreHourly(ports: StoreHousePorts, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await keepStore(ports).catch(error =>
      ports.log.warn(errorFields(error), 'retention could not be applied'),
    )
    await ports.clock.sleep(HOUR, signal).catch(ended)
  }
}

/** The signal ends the wait: the loop sees it. */
const ended = (): undefined => undefined

export const define: Define = (program, act) => {
  program
    .command('process')
    .description('store what comes into the topics and judge the sources, until Ctrl-C')
    .option(...sourceOption)
    .action(act(run, withSource))
}
