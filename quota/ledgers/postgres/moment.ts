import { randomUUID } from 'node:crypto'
import { EpochMicros } from '../../../core/brands.ts'
import type { Clock } from '../../../core/ports/clock.ts'
import type { ReserveDecision, Settlement } from '../../../core/ports/ledger.ts'
import type { ClockStamp } from '../../policy/clock.ts'
import { bootId, ClockWatch } from '../common/clock-watch.ts'
import { decodeClock, lookedAt } from './server-clock.ts'

/** Whose time the ledger goes by: the server's, the one clock of all hosts; or the given clock's, for a time that is not real. */
export type TimeOf = 'server' | 'clock'

/** What a transaction (or a look) brought about time. */
export interface ServerTime {
  /** The server's own time, taken under the lock. */
  readonly wallAt: EpochMicros
  readonly startedAt: string
  /** The ledger's record of clocks, as text. */
  readonly clock: string
}

/** One transaction's time. Callers speak of their host's time: `offset` is added to what they say, and taken from what they are told. */
export interface Moment {
  readonly stamp: ClockStamp
  /** The record of clocks to be written. */
  readonly clock: string
  /** Microseconds: the ledger's time less this host's; never too small, so that a permit never ends later than the ledger thinks. */
  readonly offset: number
  readonly timeOf: (told: EpochMicros) => EpochMicros
}

/** Where this host's clocks stood when a question was sent. */
interface Asked {
  readonly wallAt: EpochMicros
  readonly monotonicMs: number
}

/** Reads this host's clocks around a question to the server. */
export class Moments {
  readonly #clock: Clock
  readonly #isServers: boolean
  readonly #watch: ClockWatch
  readonly #boot = bootId() || randomUUID()
  readonly #jumpMs: number

  constructor(clock: Clock, timeOf: TimeOf, jumpMs: number) {
    this.#clock = clock
    this.#isServers = timeOf === 'server'
    this.#watch = new ClockWatch(clock)
    this.#jumpMs = jumpMs
  }

  /** Right before the question is sent. */
  ask(): Asked {
    return { wallAt: this.#clock.now(), monotonicMs: this.#clock.monotonicMs() }
  }

  answer(asked: Asked, { wallAt, startedAt, clock }: ServerTime): Moment {
    if (!this.#isServers) return this.#own(clock)
    const [beforeMs, afterMs] = [asked.monotonicMs, this.#clock.monotonicMs()]
    const look = { wallAt, startedAt, boot: this.#boot, beforeMs, afterMs }
    const { record, stamp } = lookedAt(decodeClock(clock), look, this.#jumpMs)
    return { stamp, clock: JSON.stringify(record), offset: wallAt - asked.wallAt, timeOf: () => wallAt }
  }

  #own(clock: string): Moment {
    const timeOf = (told: EpochMicros): EpochMicros => {
      const ours = this.#clock.now()
      return ours > told ? ours : told
    }
    return { stamp: this.#watch.stamp(), clock, offset: 0, timeOf }
  }
}

/** A host's time as the ledger's. */
export const toLedger = ({ offset }: Moment, at: EpochMicros): EpochMicros =>
  EpochMicros(Math.max(0, at + offset))

const toHost = ({ offset }: Moment, at: EpochMicros): EpochMicros => EpochMicros(Math.max(0, at - offset))

/** The times that a caller compares with its own clock. */
export function decisionForHost(moment: Moment, decision: ReserveDecision): ReserveDecision {
  if (moment.offset === 0) return decision
  if (decision.kind === 'granted')
    return {
      ...decision,
      startBy: toHost(moment, decision.startBy),
      deadline: toHost(moment, decision.deadline),
    }
  if (decision.kind === 'in-flight') return { ...decision, retryAt: toHost(moment, decision.retryAt) }
  if (decision.kind !== 'denied' || decision.retryAt === null) return decision
  return { ...decision, retryAt: toHost(moment, decision.retryAt) }
}

/** A pause may be told as a time (the provider's) or as a span from now (this host's): the longer of both holds. */
export function settlementForLedger(moment: Moment, settlement: Settlement): Settlement {
  if (moment.offset === 0) return settlement
  const { pauseUntil } = settlement
  const now = toLedger(moment, settlement.now)
  if (pauseUntil === undefined || !Number.isSafeInteger(pauseUntil)) return { ...settlement, now }
  return {
    ...settlement,
    now,
    pauseUntil: toLedger({ ...moment, offset: Math.max(0, moment.offset) }, pauseUntil),
  }
}
