import type { DeliverCounters } from '../processors/deliver.ts'
import type { StoreName } from './config/parts.ts'
import { watchedGroups } from './lag/groups.ts'
import { startLagWatch } from './lag/lag-watch.ts'
import { LossTeller } from './lag/tell-gaps.ts'
import type { StoreSink } from './open-store.ts'
import { JointProblems } from './pipeline/joint-problems.ts'
import { type ProcessingPorts, sum } from './processing.ts'
import type { Source } from './source.ts'
import { StoreRun } from './store-run.ts'
import { topics } from './stores.ts'

export interface StoringPorts extends Omit<ProcessingPorts, 'sink' | 'losses'> {
  readonly source: Pick<Source, 'origin'>
}

export interface StoreToRun {
  readonly name: StoreName
  /** Opened here, and closed here. @throws CryptosError */
  readonly open: () => Promise<StoreSink>
  /** Nothing goes on without it. */
  readonly isEssential?: true
}

/**
 * Stores what comes into the topics in every one of these stores until the signal fires, each by consumer groups of its own: one that
 * is slow, dead or refuses a record never stops another. One that can not be reached is tried until it can; one that met what no
 * other try can mend is opened again each minute, as long as another goes on. Returns their sum.
 * @throws CryptosError what no other try can mend, at once when a store can not be opened at the start, when an essential one met it,
 * or when all have; else at the end, when a store is still stopped by it
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
  const going = new Set(stores)
  const ended = await Promise.allSettled(
    stores.map(store => {
      const own = { ...ports, losses, onProblem: joint.of(store.name) }
      return new StoreRun(own, store, going).run(until).catch((error: unknown) => {
        ending.abort()
        throw error
      })
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
