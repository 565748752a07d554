import type { Clock } from '../../../core/ports/clock.ts'
import { SECOND } from '../../../core/time.ts'
import type { KafkaClients } from './client.ts'
import { faultType } from './errors.ts'
import { sessionTimeoutMs } from './fetching.ts'
import { atMost, ignore, within } from './waiting.ts'

const callLimitMs = 3 * SECOND

/**
 * Members of a group that ended while its coordinator was away, so that they could not say so. The group would wait for each of
 * them until its session is over, and with it whoever joins: they are said to have left as soon as a coordinator answers.
 */
export class Departed {
  readonly #clients: KafkaClients
  readonly #clock: Clock
  readonly #group: string
  constructor(ports: { readonly clients: KafkaClients; readonly clock: Clock }, group: string) {
    this.#clients = ports.clients
    this.#clock = ports.clock
    this.#group = group
  }

  /** Tries until a coordinator knows it, the group has forgotten the member by itself, or the signal fires. Never throws. */
  async report(memberId: string, signal: AbortSignal): Promise<void> {
    const untilMs = this.#clock.monotonicMs() + sessionTimeoutMs
    while (!signal.aborted && this.#clock.monotonicMs() < untilMs) {
      if (await this.#isLeft(memberId)) return
      await this.#clock.sleep(SECOND, signal).catch(ignore)
    }
  }

  async #isLeft(memberId: string): Promise<boolean> {
    const cluster = this.#clients.cluster()
    const leave = async (): Promise<true> => {
      await cluster.connect()
      const groupId = this.#clients.nameOf(this.#group)
      const coordinator = await cluster.findGroupCoordinator({ groupId })
      await coordinator.leaveGroup({ groupId, memberId })
      return true
    }
    const limit = { clock: this.#clock, durationMs: callLimitMs }
    try {
      return await within(leave(), limit, () => new Error('no answer'))
    } catch (error) {
      // It is no member any more; or nobody answered, and then it is tried again.
      return faultType(error) === 'UNKNOWN_MEMBER_ID'
    } finally {
      await atMost(SECOND, cluster.disconnect(), this.#clock)
    }
  }
}
