import type { Broker } from '../../core/ports/broker.ts'
import type { Clock } from '../../core/ports/clock.ts'
import type { Ledger } from '../../core/ports/ledger.ts'
import { addMs, HOUR } from '../../core/time.ts'
import type { Config } from '../config/load.ts'
import type { Log } from '../log.ts'

export interface HousekeepingPorts {
  readonly config: Config
  readonly ledger: Ledger
  readonly broker: Broker
  readonly clock: Clock
  readonly log: Log
}

/** Removes what its retention no longer keeps. @throws what the ledger or the broker throws: what is left waits for the next turn */
export async function keepHouse({ config, ledger, broker, clock, log }: HousekeepingPorts): Promise<void> {
  const now = clock.now()
  const answers = await ledger.outbox.prune(addMs(now, -config.outboxRetentionHours * HOUR))
  const records = await broker.applyRetention(now)
  if (answers + records > 0) log.info({ answers, records }, 'removed what retention no longer keeps')
}
