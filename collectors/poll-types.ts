import { Credits, type EpochMicros } from '../core/brands.ts'
import type { ErrorCode } from '../core/errors.ts'
import type { Outcome } from '../core/outcomes.ts'
import type { Clock } from '../core/ports/clock.ts'
import type { DenialReason, Ledger, ReserveDecision } from '../core/ports/ledger.ts'
import type { Origin } from '../core/records.ts'
import { SECOND } from '../core/time.ts'
import type { HttpClient } from './http.ts'
import type { Log } from './log.ts'
import type { Pace } from './pace.ts'
import type { Access, Dataset, Page, Provider } from './provider.ts'

/** What a poll works with. Opening and closing them is the caller's job. */
export interface PollPorts {
  readonly ledger: Ledger
  readonly http: HttpClient
  readonly clock: Clock
  readonly pace: Pace
  /** A fresh id: of the run and of the reservation. */
  readonly newId: () => string
  /** Brings what waits in the outbox to the topics; without it somebody else does. */
  readonly publish?: () => Promise<{ readonly held: boolean }>
  /**
   * A run ends well only when its answer is in the topics, because whoever starts it tells others that it is there; so long another
   * process that publishes is waited for. Without it the answer may wait in the outbox.
   */
  readonly publishWithinMs?: number
  /** Brings gaps of runs that brought no answer to the topics. */
  readonly reportGaps?: (task: PageTask, result: PageResult, startedAt: EpochMicros) => Promise<void>
  readonly log?: Log
  /** For the whole call; 20 s by default. */
  readonly deadlineMs?: number
  /** For whom calls are made, as `<name>/<run>`; the ledger sums what they cost by the name. */
  readonly spender?: string
}

/** As a reservation and a run want it. */
export const spenderOf = ({ spender }: Pick<PollPorts, 'spender'>): { readonly spender?: string } =>
  spender === undefined ? {} : { spender }

/** How one provider is reached in this run. */
export interface Source {
  readonly provider: Provider
  /** With the sandbox's base URL in place of the real one, where it is used. */
  readonly access: Access
  /** The quota scope; opened before. */
  readonly scope: string
  /** Read at the moment of the call. */
  readonly key?: () => string
  readonly origin: Origin
}

export interface PageTask {
  readonly source: Source
  readonly dataset: Dataset
  readonly page: Page
  /** As `slotOf` names it. */
  readonly slot: string
  readonly signal: AbortSignal
}

/** How one page ended. */
export interface PageResult {
  readonly outcome: Outcome
  /** One sentence. */
  readonly reason: string
  readonly slot: string
  readonly runId: string
  /** By the provider's word, else the reserved cost; 0 where nothing was sent. */
  readonly credits: number
  /** Records that the answer gave. */
  readonly records: number
  readonly retryAt?: EpochMicros
  /** Of the error that kept a whole answer from coming. */
  readonly code?: ErrorCode
  readonly answerId?: string
}

export const defaultDeadlineMs = 20 * SECOND

/** A result before it knows its slot and run. */
export type Ended = Omit<PageResult, 'slot' | 'runId'>
export type Permit = Extract<ReserveDecision, { kind: 'granted' }>

/** Whether the provider bills credits for this access: without a key CoinMarketCap tells a cost, but books none. */
export const isBilled = ({ access }: Source): boolean =>
  access.limits.creditsPerMonth !== null || access.limits.creditsPerDay !== null

/** The dearest cost that a call for the page may have. */
export const costMaxOf = ({
  source,
  dataset,
  page,
}: Pick<PageTask, 'source' | 'dataset' | 'page'>): Credits =>
  isBilled(source) ? dataset.costMax(page) : Credits(0)

/** A freeze is somebody's or the clock's word; all else is what the limits say. */
export const outcomeOfDenial = (why: DenialReason): Outcome =>
  why === 'frozen' || why === 'clock-jump' ? 'frozen' : 'denied-by-quota'

/** One page, from the permit to the durable answer. */
export interface Attempt {
  readonly ports: PollPorts
  readonly task: PageTask
  readonly runId: string
}

export const ended = (outcome: Outcome, reason: string, more: Partial<Ended> = {}): Ended => ({
  outcome,
  reason,
  credits: 0,
  records: 0,
  ...more,
})

/** The datasets that one way to reach a provider has. */
export const datasetsBy = ({ datasets }: Provider, way: 'keyed' | 'keyless'): readonly Dataset[] =>
  datasets.filter(({ access }) => access === undefined || access === way)

/** Those of a source. */
export const datasetsOf = ({ provider, key }: Pick<Source, 'provider' | 'key'>): readonly Dataset[] =>
  datasetsBy(provider, key ? 'keyed' : 'keyless')
