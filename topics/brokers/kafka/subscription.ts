import { CryptosError, classify } from '../../../core/errors.ts'
import type { ConsumeOptions } from '../../../core/ports/broker.ts'
import { SECOND } from '../../../core/time.ts'
import type { Done } from './assigned.ts'
import { Departed } from './departed.ts'
import { faultType, kafkaError } from './errors.ts'
import { Member } from './member.ts'
import type { MemberPorts } from './member-ports.ts'
import { ignore } from '../../../core/waiting.ts'

const firstPauseMs = 100
const longestPauseMs = 3 * SECOND
/** How long a topic that was there may be unknown to a server: metadata spread slowly where brokers start or are loaded. */
const unknownForMs = 30 * SECOND

export type SubscriptionPorts = Omit<MemberPorts, 'onReadFailed' | 'onReadWorks' | 'done'>

/**
 * A subscription over the lives of many members: what kafkajs does not heal by itself is healed by a new consumer.
 * @throws CryptosError where it can not begin or go on: an unknown topic, or what `classify` does not call worth a try
 */
export async function subscribe(ports: SubscriptionPorts, options: ConsumeOptions): Promise<void> {
  const departed = new Departed(ports, options.group)
  try {
    await liveAgainAndAgain(ports, options, departed)
  } finally {
    await departed.close()
  }
}

async function liveAgainAndAgain(
  ports: SubscriptionPorts,
  options: ConsumeOptions,
  departed: Departed,
): Promise<void> {
  const health = new Health(options)
  const trouble = new Trouble(ports, options.group)
  const done = new Map<string, Done>()
  const onReadFailed = (error: unknown): void => health.failed(trouble.of(error))
  const onReadWorks = (): void => {
    trouble.over()
    health.works()
  }
  for (let failures = 0; !options.signal.aborted; failures += 1) {
    const beganMs = ports.clock.monotonicMs()
    try {
      health.places = await placesOf(ports, options.topics)
      trouble.isFound = true
      const member = new Member({ ...ports, done, onReadFailed, onReadWorks }, options)
      const why = await member.live()
      if (options.signal.aborted) return
      // Beside the next one, which the group lets wait for it.
      departed.report(member.departedId)
      throw why
    } catch (error) {
      const problem = trouble.of(error)
      const reaction = classify(problem)
      if (reaction !== 'retry' && reaction !== 'wait') throw problem
      health.failed(problem)
      if (ports.clock.monotonicMs() - beganMs > 60 * SECOND) failures = 0
      const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures, 20))
      await ports.clock.sleep(pauseMs, options.signal).catch(ignore)
    }
  }
}

/** What an error means for a subscription: a topic that it found once is not missing because a server does not know it yet. */
class Trouble {
  isFound = false
  readonly #ports: SubscriptionPorts
  readonly #what: string
  #unknownSinceMs: number | undefined
  constructor(ports: SubscriptionPorts, group: string) {
    this.#ports = ports
    this.#what = `group ${ports.clients.nameOf(group)}`
  }
  of(error: unknown): CryptosError {
    const { clients, clock } = this.#ports
    const problem = kafkaError(error, this.#what, clients.servers)
    if (!this.isFound || faultType(error) !== 'UNKNOWN_TOPIC_OR_PARTITION') return problem
    this.#unknownSinceMs ??= clock.monotonicMs()
    if (clock.monotonicMs() - this.#unknownSinceMs >= unknownForMs) return problem
    const why = `Kafka at ${clients.servers.join(', ')}: ${this.#what}: a server does not know a topic at the moment`
    return new CryptosError('CRY_SERVER_UNREACHABLE', why, { cause: error })
  }
  over(): void {
    this.#unknownSinceMs = undefined
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
