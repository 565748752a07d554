import { classify } from '../../../core/errors.ts'
import type { ConsumeOptions } from '../../../core/ports/broker.ts'
import { SECOND } from '../../../core/time.ts'
import { kafkaError } from './errors.ts'
import { Member } from './member.ts'
import type { MemberPorts } from './member.ts'
import { ignore } from './waiting.ts'

const firstPauseMs = 100
const longestPauseMs = 3 * SECOND

export type SubscriptionPorts = Omit<MemberPorts, 'onReadFailed' | 'onReadWorks'>

/**
 * A subscription over the lives of many members: what kafkajs does not heal by itself is healed by a new consumer.
 * @throws CryptosError where it can not begin or go on: an unknown topic, or what `classify` does not call worth a try
 */
export async function subscribe(ports: SubscriptionPorts, options: ConsumeOptions): Promise<void> {
  const health = new Health(options)
  for (let failures = 0; !options.signal.aborted; failures += 1) {
    const beganMs = ports.clock.monotonicMs()
    try {
      health.places = await placesOf(ports, options.topics)
      const why = await new Member(
        { ...ports, onReadFailed: error => health.failed(told(error)), onReadWorks: () => health.works() },
        options,
      ).live()
      if (options.signal.aborted) return
      throw why
    } catch (error) {
      const problem = told(error)
      const reaction = classify(problem)
      if (reaction !== 'retry' && reaction !== 'wait') throw problem
      health.failed(problem)
      if (ports.clock.monotonicMs() - beganMs > 60 * SECOND) failures = 0
      const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures, 20))
      await ports.clock.sleep(pauseMs, options.signal).catch(ignore)
    }
  }

  function told(error: unknown): Error {
    return kafkaError(error, `group ${ports.clients.nameOf(options.group)}`, ports.clients.servers)
  }
}

interface Place {
  readonly topic: string
  readonly partition: number
}

async function placesOf({ topics }: SubscriptionPorts, names: readonly string[]): Promise<readonly Place[]> {
  const known = await Promise.all(names.map(name => topics.known(name)))
  return known.flatMap(({ spec }) =>
    Array.from({ length: spec.partitions }, (_, partition) => ({ topic: spec.name, partition })),
  )
}

/** Tells once that the log can not be read, for each partition, and once that it can again. */
class Health {
  places: readonly Place[] = []
  readonly #options: ConsumeOptions
  #isIll = false
  constructor(options: ConsumeOptions) {
    this.#options = options
  }
  failed(error: Error): void {
    if (this.#isIll || this.#options.signal.aborted) return
    this.#isIll = true
    for (const place of this.places) this.#options.onError?.(error, { ...place, messages: [], end: 0 })
  }
  works(): void {
    if (!this.#isIll) return
    this.#isIll = false
    for (const place of this.places) this.#options.onRecovered?.(place)
  }
}
