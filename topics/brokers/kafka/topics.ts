import pkg from 'kafkajs'
import type { Admin, ITopicConfig, ITopicMetadata } from 'kafkajs'
import { CryptosError } from '../../../core/errors.ts'
import type { PartitionState, TopicSpec } from '../../../core/ports/broker.ts'
import type { KafkaAdmin } from './admin.ts'
import type { KafkaClients } from './client.ts'
import { faultType } from './errors.ts'
import type { KafkaOptions } from './options.ts'

const { ConfigResourceTypes } = pkg
const KIB = 1_024
const MIB = 1_024 * KIB

/** Kafka's own max.message.bytes where nobody set it. It limits what is sent at once, not a message; ours are added to it. */
const serverDefaultBytes = MIB + 12
/** Half of what the topic takes beside its largest message: sizes are counted in UTF-16 units. */
const batchBytes = 512 * KIB

/** A topic as this broker uses it. */
export interface KnownTopic {
  /** With the partitions that the cluster has. */
  readonly spec: TopicSpec
  /** Its name on the servers. */
  readonly name: string
  /** What one send may hold. */
  readonly batchBytes: number
}

const settingsOf = (spec: TopicSpec, minInsyncReplicas: number): Readonly<Record<string, string>> => ({
  'retention.ms': String(spec.retentionMs),
  'max.message.bytes': String(spec.maxMessageBytes + MIB),
  'min.insync.replicas': String(minInsyncReplicas),
  'cleanup.policy': 'delete',
  // A record is dated by who received it: a clock that is wrong there must not keep it out of the log.
  'message.timestamp.after.max.ms': '9223372036854775807',
})

/** The topics of the cluster: made, changed, and looked up once each. */
export class KafkaTopics {
  readonly #admin: KafkaAdmin
  readonly #clients: KafkaClients
  readonly #options: KafkaOptions
  readonly #known = new Map<string, KnownTopic>()
  constructor(admin: KafkaAdmin, clients: KafkaClients, options: KafkaOptions) {
    this.#admin = admin
    this.#clients = clients
    this.#options = options
  }

  /** @throws CryptosError CRY_RECORD_INVALID for an unknown topic, CRY_SERVER_* */
  async known(topic: string): Promise<KnownTopic> {
    const found = await this.find(topic)
    if (!found) throw new CryptosError('CRY_RECORD_INVALID', `no such topic: ${JSON.stringify(topic)}`)
    return found
  }

  /** The topic, if it was looked up before. */
  cached(topic: string): KnownTopic | undefined {
    return this.#known.get(topic)
  }

  /** The topic; undefined where there is none. A topic that is made later is found then. */
  async find(topic: string): Promise<KnownTopic | undefined> {
    const before = this.#known.get(topic)
    if (before || !isTopicName(this.#clients.nameOf(topic))) return before
    const name = this.#clients.nameOf(topic)
    const found = await this.#admin.run(`look up topic ${name}`, async admin => {
      const metadata = (await metadataOf(admin, [name])).get(name)
      return metadata ? { metadata, settings: (await readSettings(admin, name)) ?? {} } : undefined
    })
    if (found) this.#learn(topic, found.metadata.partitions.length, found.settings)
    return this.#known.get(topic)
  }

  /**
   * Makes what is missing and changes settings that differ.
   * @throws CryptosError CRY_SERVER_CONFIG, before anything is changed, where a topic has fewer partitions than it should:
   * more would move keys to other partitions, so that is for an operator to decide
   */
  async apply(specs: readonly TopicSpec[]): Promise<void> {
    try {
      await this.#apply(specs)
    } catch (error) {
      if (faultType(error) !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error
      // It was made just now: whoever reads "missing" would make it again.
      const at = `Kafka at ${this.#clients.servers.join(', ')}`
      const why = `${at}: make topics: they are not known to all servers yet`
      throw new CryptosError('CRY_SERVER_UNREACHABLE', why, { cause: error })
    }
  }

  async #apply(specs: readonly TopicSpec[]): Promise<void> {
    const wanted = specs.map(spec => ({ spec, name: this.#clients.nameOf(spec.name) }))
    await this.#admin.run('make topics', async admin => {
      const there = await metadataOf(
        admin,
        wanted.map(w => w.name),
      )
      for (const { spec, name } of wanted)
        this.#checkPartitions(name, spec, there.get(name)?.partitions.length)
      const missing = wanted.filter(w => !there.has(w.name))
      if (missing.length > 0) await admin.createTopics({ topics: missing.map(w => this.#newTopic(w.spec)) })
      for (const { spec, name } of wanted.filter(w => there.has(w.name)))
        await this.#change(admin, name, spec)
      for (const { spec, name } of wanted)
        this.#learn(spec.name, there.get(name)?.partitions.length ?? spec.partitions, this.#settingsOf(spec))
    })
  }

  async states(topic: string): Promise<readonly PartitionState[]> {
    const { name } = await this.known(topic)
    const offsets = await this.#admin.run(`ends of ${name}`, admin => admin.fetchTopicOffsets(name))
    return offsets
      .map(({ partition, low, high }) => ({ topic, partition, begin: Number(low), end: Number(high) }))
      .sort((a, b) => a.partition - b.partition)
  }

  #settingsOf(spec: TopicSpec): Readonly<Record<string, string>> {
    return settingsOf(spec, this.#options.minInsyncReplicas)
  }

  #checkPartitions(name: string, spec: TopicSpec, partitions: number | undefined): void {
    if (partitions === undefined || partitions >= spec.partitions) return
    throw new CryptosError(
      'CRY_SERVER_CONFIG',
      `Kafka at ${this.#clients.servers.join(', ')}: topic ${name} has ${partitions} partitions, the topic table says ${spec.partitions}; ` +
        'more partitions move keys, so add them yourself while nothing is published, or use another topic prefix',
    )
  }

  #newTopic(spec: TopicSpec): ITopicConfig {
    return {
      topic: this.#clients.nameOf(spec.name),
      numPartitions: spec.partitions,
      replicationFactor: this.#options.replication,
      configEntries: Object.entries(this.#settingsOf(spec)).map(([name, value]) => ({ name, value })),
    }
  }

  /** Kafka replaces all settings of a topic at once, so those of others are given back to it. */
  async #change(admin: Admin, name: string, spec: TopicSpec): Promise<void> {
    const own = await readSettings(admin, name)
    // Who may not look may not change either: the settings are in the hands of an operator.
    if (!own) return
    const wanted = this.#settingsOf(spec)
    if (Object.entries(wanted).every(([key, value]) => own[key] === value)) return
    const configEntries = Object.entries({ ...own, ...wanted }).map(([key, value]) => ({ name: key, value }))
    const resources = [{ type: ConfigResourceTypes.TOPIC, name, configEntries }]
    await admin.alterConfigs({ validateOnly: false, resources })
  }

  #learn(topic: string, partitions: number, settings: Readonly<Record<string, string>>): void {
    const limit = Number(settings['max.message.bytes'] ?? serverDefaultBytes)
    const maxMessageBytes = limit > serverDefaultBytes ? limit - MIB : limit - 4 * KIB
    const retentionMs = Number(settings['retention.ms'] ?? 0)
    this.#known.set(topic, {
      spec: { name: topic, partitions, retentionMs, maxMessageBytes },
      name: this.#clients.nameOf(topic),
      batchBytes: Math.min(batchBytes, Math.floor(limit / 2)),
    })
  }
}

const isTopicName = (name: string): boolean => /^[A-Za-z0-9._-]{1,249}$/.test(name)

/** The topics of these names that exist. @throws the server's refusal where the user may not see one: it is not missing then */
async function metadataOf(admin: Admin, names: readonly string[]): Promise<Map<string, ITopicMetadata>> {
  const visible = new Set(await admin.listTopics())
  const found = new Map<string, ITopicMetadata>()
  const add = async (some: readonly string[]): Promise<void> => {
    if (some.length === 0) return
    const { topics } = await admin.fetchTopicMetadata({ topics: [...some] })
    for (const each of topics) found.set(each.name, each)
  }
  await add(names.filter(name => visible.has(name)))
  // One by one: the answer about one that is missing hides those about the others.
  for (const name of names.filter(each => !visible.has(each)))
    await add([name]).catch(error => {
      if (faultType(error) !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error
    })
  return found
}

/** The settings that were set on the topic itself, not those that it has by default; undefined where the user may not look. */
async function readSettings(admin: Admin, name: string): Promise<Record<string, string> | undefined> {
  const resources = [{ type: ConfigResourceTypes.TOPIC, name }]
  try {
    const { resources: found } = await admin.describeConfigs({ includeSynonyms: false, resources })
    const entries = found[0]?.configEntries ?? []
    return Object.fromEntries(entries.filter(e => isOwn(e)).map(e => [e.configName, e.configValue]))
  } catch (error) {
    if (faultType(error)?.endsWith('AUTHORIZATION_FAILED')) return undefined
    throw error
  }
}

/** Source 1 = set on the topic. */
const isOwn = (entry: { readonly configSource?: number; readonly isDefault?: boolean }): boolean =>
  entry.configSource === 1 || (entry.configSource === undefined && entry.isDefault === false)
