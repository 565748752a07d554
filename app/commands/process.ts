import { keepHeapSmall } from '../../host/small-heap.ts'
import type { DeliverCounters } from '../../processors/deliver.ts'
import { partsOf, type StoreName, storeNames } from '../config/parts.ts'
import { parseDuration } from '../duration.ts'
import { runJudging } from '../judging.ts'
import { openStore } from '../open-store.ts'
import { hourly, keepTopics } from '../pipeline/housekeeping.ts'
import { Problems } from '../pipeline/problems.ts'
import { stopped } from '../result.ts'
import { settledSource } from '../settled-source.ts'
import type { Source } from '../source.ts'
import { lockStore } from '../store-lock.ts'
import { openBroker, prepareFolder } from '../stores.ts'
import { storeNamed } from '../store-option.ts'
import { runStores, type StoringPorts } from '../storing.ts'
import { using } from '../using.ts'
import { type Action, type Define, sourceOption, withSource } from './command.ts'

const run: Action = async (context, _args, options) => {
  const { config, clock, log, signal } = context
  const source = settledSource(context)
  prepareFolder(source.folder)
  const names = storesOf(options['sink'], partsOf(config).stores)
  const rewindMs =
    options['rewind'] === undefined ? undefined : parseDuration(String(options['rewind']), '--rewind')
  // One process per data folder; servers sort out theirs by themselves.
  const unlock = names.includes('sqlite') ? lockStore(source.folder) : () => undefined
  try {
    return await using(await openBroker(config, source, clock), async broker => {
      context.print(
        `Storing into ${names.map(name => placeOf(name, source)).join(' and ')}. Ctrl-C stops it.`,
      )
      const onProblem = new Problems(undefined, log).set
      const ports = { config, source, broker, clock, log, onProblem }
      const storing = { ...ports, ...(rewindMs === undefined ? {} : { rewindMs }) }
      keepHeapSmall()
      const counters = await storeAndJudge(storing, { names, judges: options['judge'] !== false }, signal)
      const { written, superseded, dead } = counters
      return stopped(`stored ${written}, superseded ${superseded}, dead ${dead}`, { ...counters })
    })
  } finally {
    unlock()
  }
}

/** @throws CryptosError CRY_USAGE for a store that there is not */
const storesOf = (given: unknown, configured: readonly StoreName[]): readonly StoreName[] =>
  Array.isArray(given) ? [...new Set(given.map(name => storeNamed(String(name))))] : configured

const placeOf = (name: StoreName, source: Source): string => (name === 'sqlite' ? source.folder : name)

interface What {
  readonly names: readonly StoreName[]
  readonly judges: boolean
}

/** All until the signal fires; what ends one for good ends the others. */
async function storeAndJudge(
  ports: StoringPorts & { readonly source: Source },
  { names, judges }: What,
  signal: AbortSignal,
): Promise<DeliverCounters> {
  const failed = new AbortController()
  const ending = AbortSignal.any([signal, failed.signal])
  const stop = (error: unknown): never => {
    failed.abort()
    throw error
  }
  const stores = names.map(name => ({ name, open: () => openStore(name, ports) }))
  const [counters] = await Promise.all([
    runStores(ports, stores, ending).catch(stop),
    ...(judges ? [runJudging(ports, ending).catch(stop)] : []),
    hourly(() => keepTopics(ports), ports, ending),
  ])
  return counters
}

const collected = (name: string, before: readonly string[] = []): readonly string[] => [...before, name]

export const define: Define = (program, act) => {
  program
    .command('process')
    .description('store what comes into the topics and judge the sources, until Ctrl-C')
    .option(
      '--sink <name>',
      `${storeNames.join(', ')}; several times for several, each goes on without the others; without it as CRYPTOS_SINKS says`,
      collected,
    )
    .option(
      '--rewind <duration>',
      'store again what came so long before the last that was stored, by the time of the records: after an unclean stop of a store',
    )
    .option('--no-judge', 'only store: where several run, one alone may judge')
    .option(...sourceOption)
    .action(act(run, withSource))
}
