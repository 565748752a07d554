import type { Broker } from '../../core/ports/broker.ts'
import type { Clock } from '../../core/ports/clock.ts'
import type { Ledger } from '../../core/ports/ledger.ts'
import type { MarketSink } from '../../core/ports/sink.ts'
import { addMs, DAY, HOUR } from '../../core/time.ts'
import type { Config } from '../config/load.ts'
import type { Log } from '../log.ts'

export interface HousekeepingPorts {
  readonly config: Config
  readonly ledger: Ledger
  readonly broker: Broker
  readonly store: Pick<MarketSink, 'prune'>
  readonly clock: Clock
  readonly log: Log
}

/** Removes what its retention no longer keeps. @throws what the ledger or the broker throws: what is left waits for the next turn */
export async function keepHouse(ports: HousekeepingPorts): Promise<void> {
  const { config, ledger, broker, store, clock, log } = ports
  const now = clock.now()
  const answers = await ledger.outbox.prune(addMs(now, -config.outboxRetentionHours * HOUR))
  const records = await broker.applyRetention(now)
  const before = addMs(now, -config.judgementsRetentionDays * DAY)
  const judgements = await store.prune(['consensus', 'serving'], before)
  if (answers + records + judgements > 0)
    log.info({ answers, records, judgements }, 'removed what retention no longer keeps')
}
