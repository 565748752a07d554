import type { Broker } from '../../core/ports/broker.ts'
import type { Clock } from '../../core/ports/clock.ts'
import type { Ledger } from '../../core/ports/ledger.ts'
import type { MarketSink } from '../../core/ports/sink.ts'
import { addMs, DAY, HOUR } from '../../core/time.ts'
import type { Config } from '../config/load.ts'
import { errorFields, type Log } from '../log.ts'

interface HousePorts {
  readonly config: Config
  readonly clock: Clock
  readonly log: Log
}

/** Removes what its retention no longer keeps. @throws what the ledger or the broker throws: what is left waits for the next turn */
export async function keepHouse(
  ports: HousePorts & { readonly ledger: Ledger; readonly broker: Broker },
): Promise<void> {
  await keepOutbox(ports)
  await keepTopics(ports)
}

/** The same of the published answers alone. Returns how many it removed. @throws what the ledger throws */
export async function keepOutbox({
  config,
  ledger,
  clock,
  log,
}: HousePorts & { readonly ledger: Pick<Ledger, 'outbox'> }): Promise<number> {
  const answers = await ledger.outbox.prune(addMs(clock.now(), -config.outboxRetentionHours * HOUR))
  if (answers > 0) log.info({ answers }, 'removed what retention no longer keeps')
  return answers
}

/** The same of the topics. Returns how many records it removed; a server removes by itself. @throws what the broker throws */
export async function keepTopics({
  broker,
  clock,
  log,
}: HousePorts & { readonly broker: Pick<Broker, 'applyRetention'> }): Promise<number> {
  const records = await broker.applyRetention(clock.now())
  if (records > 0) log.info({ records }, 'removed what retention no longer keeps')
  return records
}

/** The same of one store. Returns how many judgements it removed. @throws what the store throws */
export async function keepStore({
  config,
  store,
  clock,
  log,
}: HousePorts & { readonly store: Pick<MarketSink, 'prune'> }): Promise<number> {
  const before = addMs(clock.now(), -config.judgementsRetentionDays * DAY)
  const judgements = await store.prune(['consensus', 'serving'], before)
  if (judgements > 0) log.info({ judgements }, 'removed what retention no longer keeps')
  return judgements
}

/** The work at once and each hour until the signal fires; what fails waits for the next. Never throws. */
export async function hourly(
  work: () => Promise<unknown>,
  { clock, log }: Pick<HousePorts, 'clock' | 'log'>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await work().catch(error => log.warn(errorFields(error), 'retention could not be applied'))
    // The signal ends the wait: the loop sees it.
    await clock.sleep(HOUR, signal).catch(() => undefined)
  }
}
