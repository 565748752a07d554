import { classify, toCryptosError } from '../core/errors.ts'
import { HOUR, SECOND } from '../core/time.ts'
import type { DeliverCounters } from '../processors/deliver.ts'
import type { StoreName } from './config/parts.ts'
import { watchedGroups } from './lag/groups.ts'
import { startLagWatch } from './lag/lag-watch.ts'
import { LossTeller } from './lag/tell-gaps.ts'
import { errorFields } from './log.ts'
import type { StoreSink } from './open-store.ts'
import { keepStore } from './pipeline/housekeeping.ts'
import { JointProblems } from './pipeline/joint-problems.ts'
import { type ProcessingPorts, runProcessing, sum } from './processing.ts'
import type { Source } from './source.ts'
import { topics } from './stores.ts'

export interface StoringPorts extends Omit<ProcessingPorts, 'sink' | 'losses'> {
  readonly source: Pick<Source, 'origin'>
}

export interface StoreToRun {
  readonly name: StoreName
  /** Opened here, and closed here. @throws CryptosError */
  readonly open: () => Promise<StoreSink>
}

const firstPauseMs = SECOND
const longestPauseMs = 30 * SECOND
const nothing: DeliverCounters = { received: 0, written: 0, superseded: 0, dead: 0, retried: 0 }

/**
 * Stores what comes into the topics in every one of these stores until the signal fires, each by consumer groups of its own: one that
 * is slow, dead or refuses a record never stops another. One that can not be reached is tried until it can. Returns their sum.
 * @throws CryptosError when a store can not be opened for a reason that no other try can mend, at once; when one met such a reason
 * later, as soon as the others have ended too
 */
export async function runStores(
  ports: StoringPorts,
  stores: readonly StoreToRun[],
  signal: AbortSignal,
): Promise<DeliverCounters> {
  const ending = new AbortController()
  const until = AbortSignal.any([signal, ending.signal])
  const joint = new JointProblems(ports.onProblem)
  const losses = new LossTeller({ ...ports, topics, origin: ports.source.origin })
  const watching = watchLag(ports, { stores, losses }, until)
  const ended = await Promise.allSettled(
    stores.map(async store => {
      const own = { ...ports, losses, onProblem: joint.of(store.name) }
      const sink = await openPatiently(own, store, until).catch((error: unknown) => {
        ending.abort()
        throw error
      })
      return sink === undefined ? nothing : await runStore(own, sink, until)
    }),
  )
  ending.abort()
  await watching
  const failed = ended.find(e => e.status === 'rejected')
  if (failed) throw failed.reason
  return sum(ended.flatMap(e => (e.status === 'fulfilled' ? [e.value] : [])))
}

function watchLag(
  ports: StoringPorts,
  { stores, losses }: { readonly stores: readonly StoreToRun[]; readonly losses: LossTeller },
  signal: AbortSignal,
): Promise<void> {
  const groups = watchedGroups(
    ports.config,
    stores.map(store => store.name),
  )
  return startLagWatch({ ...ports, topics, origin: ports.source.origin, groups, losses }, signal)
}

/** undefined = the signal fired before. */
async function openPatiently(
  { clock, onProblem }: StoringPorts,
  { name, open }: StoreToRun,
  signal: AbortSignal,
): Promise<StoreSink | undefined> {
  for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    try {
      const sink = await open()
      onProblem(`sink.${name}`, null)
      return sink
    } catch (error) {
      const reaction = classify(error)
      if (reaction !== 'retry' && reaction !== 'wait') throw error
      const { code, message } = toCryptosError(error)
      const fields = errorFields(error)
      onProblem(`sink.${name}`, `the store can not be opened, it is tried again: ${message}`, {
        ...{ kind: code, fields },
      })
    }
    await clock.sleep(pauseMs, signal).catch(ended)
  }
  return undefined
}

async function runStore(ports: StoringPorts, sink: StoreSink, signal: AbortSignal): Promise<DeliverCounters> {
  const stopped = new AbortController()
  const keeping = keepHourly(ports, sink, AbortSignal.any([signal, stopped.signal]))
  try {
    return await runProcessing({ ...ports, sink }, signal)
  } catch (error) {
    const sentence = `nothing is stored here any more until it is started again: ${toCryptosError(error).message}`
    ports.onProblem(`sink.${sink.name}`, sentence, { fields: errorFields(error) })
    throw error
  } finally {
    stopped.abort()
    await keeping
    await sink.close().catch(error => ports.log.warn(errorFields(error), 'a store was not closed'))
  }
}

/** What fails waits for the next hour. */
async function keepHourly(
  ports: Omit<ProcessingPorts, 'sink'>,
  sink: StoreSink,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await keepStore({ ...ports, store: sink.market }).catch(error =>
      ports.log.warn(errorFields(error), 'retention could not be applied'),
    )
    await ports.clock.sleep(HOUR, signal).catch(ended)
  }
}

/** The signal ends the wait: the loop sees it. */
const ended = (): undefined => undefined
