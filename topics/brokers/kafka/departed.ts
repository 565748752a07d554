import type { Clock } from '../../../core/ports/clock.ts'
import { SECOND } from '../../../core/time.ts'
import type { KafkaClients } from './client.ts'
import { faultType } from './errors.ts'
import { sessionTimeoutMs } from './fetching.ts'
import { atMost, ignore, within } from '../../../core/waiting.ts'

const callLimitMs = 3 * SECOND

/**
 * Members of a group that ended, mostly because its coordinator was away, and so could not say so. The group would wait for each
 * of them until its session is over, and with it whoever joins: they are said to have left as soon as a coordinator answers.
 */
export class Departed {
  readonly #clients: KafkaClients
  readonly #clock: Clock
  readonly #group: string
  readonly #closing = new AbortController()
  readonly #reports = new Set<Promise<void>>()
  constructor(ports: { readonly clients: KafkaClients; readonly clock: Clock }, group: string) {
    this.#clients = ports.clients
    this.#clock = ports.clock
    this.#group = group
  }

  /** Begins to say it. `memberId` undefined = there is nobody to report. */
  report(memberId: string | undefined): void {
    if (memberId === undefined) return
    const report = this.#untilKnown(memberId).finally(() => this.#reports.delete(report))
    this.#reports.add(report)
  }

  /** Ends what is not said yet. */
  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all(this.#reports)
  }

  /** Tries until a coordinator knows it, or the group has forgotten the member by itself. Never throws. */
  async #untilKnown(memberId: string): Promise<void> {
    const { signal } = this.#closing
    const untilMs = this.#clock.monotonicMs() + sessionTimeoutMs
    while (!signal.aborted && this.#clock.monotonicMs() < untilMs) {
      if (await this.#isLeft(memberId, signal)) return
      await this.#clock.sleep(SECOND, signal).catch(ignore)
    }
  }

  async #isLeft(memberId: string, signal: AbortSignal): Promise<boolean> {
    const cluster = this.#clients.cluster()
    const leave = async (): Promise<true> => {
      await cluster.connect()
      const groupId = this.#clients.nameOf(this.#group)
      const coordinator = await cluster.findGroupCoordinator({ groupId })
      await coordinator.leaveGroup({ groupId, memberId })
      return true
    }
    const leaving = leave()
    try {
      return await within(
        leaving,
        { clock: this.#clock, durationMs: callLimitMs, signal },
        () => new Error('no answer'),
      )
    } catch (error) {
      // It is no member any more; or nobody answered, and then it is tried again.
      return faultType(error) === 'UNKNOWN_MEMBER_ID'
    } finally {
      await atMost(SECOND, cluster.disconnect(), this.#clock)
      // kafkajs goes on with a call that nobody waits for, and connects anew for it.
      leaving
        .then(ignore, ignore)
        .then(() => cluster.disconnect())
        .catch(ignore)
    }
  }
}
