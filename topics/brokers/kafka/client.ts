import pkg from 'kafkajs'
import type { Admin, Consumer, ConsumerConfig, Kafka as KafkaClient, Producer } from 'kafkajs'
import { calmRequestQueue } from './calm-request-queue.ts'
import { fetchLightly } from './fetch-lightly.ts'
import { newCluster } from './internals.ts'
import type { Cluster } from './internals.ts'
import { clientConfig } from './options.ts'
import type { KafkaOptions } from './options.ts'

const { Kafka } = pkg

/** Makes the objects of kafkajs, each on connections of its own, and gives every name of ours its prefix on the servers. */
export class KafkaClients {
  readonly servers: readonly string[]
  readonly #config: ReturnType<typeof clientConfig>
  readonly #prefix: string
  constructor(options: KafkaOptions) {
    calmRequestQueue()
    fetchLightly()
    this.servers = options.brokers
    this.#config = clientConfig(options)
    this.#prefix = options.topicPrefix ?? ''
  }

  /** The name on the servers, of a topic or of a group. */
  nameOf(name: string): string {
    return `${this.#prefix}${name}`
  }

  /** Our name, or undefined where it is not ours. */
  ownNameOf(name: string): string | undefined {
    return name.startsWith(this.#prefix) ? name.slice(this.#prefix.length) : undefined
  }

  /** Plain: it forgives a breach of the rules with a second copy; idempotent mode loses records (kafkajs' own sequence numbers). */
  producer(): Producer {
    return this.#client().producer({
      // Every message says its partition: kafkajs must not choose anew at a retry.
      createPartitioner: () => call => call.message.partition ?? -1,
      allowAutoTopicCreation: false,
      idempotent: false,
      retry: { retries: 2 },
    })
  }

  /** A client of its own for each: kafkajs shares the committed offsets of a group between the consumers of one client. */
  consumer(config: ConsumerConfig): Consumer {
    return this.#client().consumer({ ...config, allowAutoTopicCreation: false })
  }

  admin(): Admin {
    return this.#client().admin()
  }

  cluster(): Cluster {
    return newCluster({ logLevel: 0, logCreator: () => () => undefined, ...this.#config })
  }

  #client(): KafkaClient {
    return new Kafka(this.#config)
  }
}
