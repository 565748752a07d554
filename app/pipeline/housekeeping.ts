import type { Broker } from '../../core/ports/broker.ts'
import type { Clock } from '../../core/ports/clock.ts'
import type { Ledger } from '../../core/ports/ledger.ts'
import type { MarketSink } from '../../core/ports/sink.ts'
import { addMs, DAY, HOUR } from '../../core/time.ts'
import type { Config } from '../config/load.ts'
import type { Log } from '../log.ts'

export interface HousekeepingPorts extends StoreHousePorts {
  readonly ledger: Ledger
}

/** Of the log and the store, which whoever stores keeps. */
export interface StoreHousePorts {
  readonly config: Config
  readonly broker: Broker
  readonly store: Pick<MarketSink, 'prune'>
  readonly clock: Clock
  readonly log: Log
}

/** Removes what its retention no longer keeps. @throws what the ledger or the broker throws: what is left waits for the next turn */
export async function keepHouse(ports: HousekeepingPorts): Promise<void> {
  const { config, ledger, clock, log } = ports
  const answers = await ledger.outbox.prune(addMs(clock.now(), -config.outboxRetentionHours * HOUR))
  if (answers > 0) log.info({ answers }, 'removed what retention no longer keeps')
  await keepStore(ports)
}

/** The same of the topics and of the store. @throws what they throw */
export async function keepStore({ config, broker, store, clock, log }: StoreHousePorts): Promise<void> {
  const now = clock.now()
  const records = await broker.applyRetention(now)
  const before = addMs(now, -config.judgementsRetentionDays * DAY)
  const judgements = await store.prune(['consensus', 'serving'], before)
  if (records + judgements > 0) log.info({ records, judgements }, 'removed what retention no longer keeps')
}
