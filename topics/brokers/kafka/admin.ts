import type { Admin } from 'kafkajs'
import { classify } from '../../../core/errors.ts'
import type { Clock } from '../../../core/ports/clock.ts'
import { SECOND } from '../../../core/time.ts'
import type { KafkaClients } from './client.ts'
import { faultType, isOutOfRange, kafkaError } from './errors.ts'
import { atMost, ignore } from './waiting.ts'

const tries = 4
const pauseMs = 300

/** Asks the cluster about topics and groups. An administration client that failed is thrown away: the next one finds the servers anew. */
export class KafkaAdmin {
  readonly #clients: KafkaClients
  readonly #clock: Clock
  readonly #closing = new AbortController()
  #admin: Promise<Admin> | undefined
  constructor(clients: KafkaClients, clock: Clock) {
    this.#clients = clients
    this.#clock = clock
  }

  /** Does it, again with a new connection if it fails for a moment. @throws CryptosError CRY_SERVER_* */
  async run<T>(what: string, work: (admin: Admin) => Promise<T>): Promise<T> {
    for (let failures = 1; ; failures += 1) {
      const used = this.#current()
      try {
        return await work(await used)
      } catch (error) {
        const told = kafkaError(error, what, this.#clients.servers)
        if (this.#admin === used) this.#admin = undefined
        await this.#leave(used)
        // A topic that was just made is unknown to some servers for a moment.
        const isNew = faultType(error) === 'UNKNOWN_TOPIC_OR_PARTITION'
        const reaction = classify(told)
        const hopeless =
          ((reaction === 'stop' || reaction === 'dead-letter') && !isNew) || isOutOfRange(error)
        if (hopeless || failures >= tries || this.#closing.signal.aborted) throw told
        await this.#clock.sleep(pauseMs * failures, this.#closing.signal).catch(ignore)
      }
    }
  }

  async close(): Promise<void> {
    this.#closing.abort()
    const used = this.#admin
    this.#admin = undefined
    if (used !== undefined) await this.#leave(used)
  }

  #current(): Promise<Admin> {
    this.#admin ??= this.#connect()
    return this.#admin
  }

  #leave(used: Promise<Admin>): Promise<void> {
    return atMost(
      2 * SECOND,
      used.then(admin => admin.disconnect()),
      this.#clock,
    )
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
