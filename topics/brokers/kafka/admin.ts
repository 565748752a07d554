import type { Admin } from 'kafkajs'
import { CryptosError, classify } from '../../../core/errors.ts'
import type { Clock } from '../../../core/ports/clock.ts'
import { SECOND } from '../../../core/time.ts'
import type { KafkaClients } from './client.ts'
import { faultType, isOutOfRange, kafkaError } from './errors.ts'
import { atMost, ignore, within } from '../../../core/waiting.ts'
import type { WaitEnd } from '../../../core/waiting.ts'

const tries = 4
const pauseMs = 300
const longestPauseMs = SECOND
/** kafkajs waits for ever for some answers, when the connection goes at the wrong moment. */
const callLimitMs = 15 * SECOND
/** How long a topic that was just made may be unknown to some servers. */
const spreadsInMs = 10 * SECOND

/** A client of kafkajs, and the calls that it still owes an answer. */
interface Line {
  readonly admin: Promise<Admin>
  readonly calls: Set<Promise<unknown>>
}

/** Asks the cluster about topics and groups. An administration client that failed is thrown away: the next one finds the servers anew. */
export class KafkaAdmin {
  readonly #clients: KafkaClients
  readonly #clock: Clock
  readonly #closing = new AbortController()
  #line: Line | undefined
  constructor(clients: KafkaClients, clock: Clock) {
    this.#clients = clients
    this.#clock = clock
  }

  /** Does it, again with a new connection if it fails for a moment. @throws CryptosError CRY_SERVER_*, also when closed before */
  async run<T>(what: string, work: (admin: Admin) => Promise<T>): Promise<T> {
    const beganMs = this.#clock.monotonicMs()
    for (let failures = 1; ; failures += 1) {
      // Who asks after the end would connect anew, and nobody would ever leave that connection.
      if (this.#closing.signal.aborted) throw this.#closed(what)
      this.#line ??= { admin: this.#connect(), calls: new Set() }
      const used = this.#line
      try {
        const limit = { clock: this.#clock, durationMs: callLimitMs, signal: this.#closing.signal }
        return await within(this.#call(work, used), limit, end => this.#unanswered(end, what))
      } catch (error) {
        const told = kafkaError(error, what, this.#clients.servers)
        if (this.#line === used) this.#line = undefined
        await this.#leave(used)
        const isNew = faultType(error) === 'UNKNOWN_TOPIC_OR_PARTITION'
        const isLate = this.#clock.monotonicMs() - beganMs > spreadsInMs
        const reaction = classify(told)
        const hopeless =
          ((reaction === 'stop' || reaction === 'dead-letter') && !isNew) || isOutOfRange(error)
        if (hopeless || (isNew ? isLate : failures >= tries) || this.#closing.signal.aborted) throw told
        const waitMs = Math.min(longestPauseMs, pauseMs * failures)
        await this.#clock.sleep(waitMs, this.#closing.signal).catch(ignore)
      }
    }
  }

  async close(): Promise<void> {
    this.#closing.abort()
    const used = this.#line
    this.#line = undefined
    if (used !== undefined) await this.#leave(used)
  }

  async #call<T>(work: (admin: Admin) => Promise<T>, { admin, calls }: Line): Promise<T> {
    const call = work(await admin)
    calls.add(call)
    return await call.finally(() => calls.delete(call))
  }

  #closed(what: string): CryptosError {
    return this.#unreachable(`${what}: closed meanwhile`)
  }
  #unanswered(end: WaitEnd, what: string): CryptosError {
    if (end === 'over') return this.#closed(what)
    return this.#unreachable(`${what}: no answer for ${callLimitMs / SECOND} s`)
  }
  #unreachable(why: string): CryptosError {
    return new CryptosError('CRY_SERVER_UNREACHABLE', `Kafka at ${this.#clients.servers.join(', ')}: ${why}`)
  }

  /** A call that goes on inside kafkajs connects anew what was left, and that keeps a process alive: it is left once more behind them. */
  #leave({ admin: used, calls }: Line): Promise<void> {
    const left = used.then(async admin => {
      await admin.disconnect()
      if (calls.size === 0) return
      await Promise.allSettled(calls)
      await admin.disconnect()
    })
    return atMost(2 * SECOND, left, this.#clock)
  }

  async #connect(): Promise<Admin> {
    const admin = this.#clients.admin()
    try {
      await admin.connect()
      return admin
    } catch (error) {
      await admin.disconnect().catch(ignore)
      throw error
    }
  }
}
