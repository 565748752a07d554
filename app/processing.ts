import type { Broker } from '../core/ports/broker.ts'
import type { Clock } from '../core/ports/clock.ts'
import type { Codec } from '../core/ports/codec.ts'
import type { RecordSink } from '../core/ports/sink.ts'
import { openDeadLetters } from '../processors/dead-letters.ts'
import { deliver, type DeliverCounters } from '../processors/deliver.ts'
import { marketRecordJson } from '../topics/codecs/market-record-json.ts'
import { quotaEventJson } from '../topics/codecs/quota-event-json.ts'
import { quoteJson } from '../topics/codecs/quote-json.ts'
import { marketTopics } from '../topics/messages.ts'
import type { TopicId } from '../topics/table.ts'
import type { Config } from './config/load.ts'
import { DeliveryReport } from './delivery-report.ts'
import type { Loss } from './lag/gaps.ts'
import type { Log } from './log.ts'
import type { StoreSink } from './open-store.ts'
import { JointProblems } from './pipeline/joint-problems.ts'
import type { OnProblem } from './pipeline/problems.ts'
import { rewound } from './rewind.ts'
import { groupOf, topics } from './stores.ts'

/** Of a store that asks for no other number: less costs it more for each record, more needs memory and wins nothing. */
const usualBatchRecords = 3_000

export interface ProcessingPorts {
  readonly config: Config
  readonly broker: Broker
  readonly sink: StoreSink
  readonly clock: Clock
  readonly log: Log
  readonly onProblem: OnProblem
  /** Records of so long before the last that was committed are stored once more: after an unclean stop of a store that may lose some. */
  readonly rewindMs?: number
  /** Told of records that retention removed before they were stored. */
  readonly losses?: { hear(loss: Loss): void }
}

/**
 * Stores what comes into the topics, each by a delivery of its own, until the signal fires: one that waits holds up no other, one
 * that must stop ends all. Returns their sum.
 * @throws CryptosError what no other try can mend
 */
export async function runProcessing(ports: ProcessingPorts, signal: AbortSignal): Promise<DeliverCounters> {
  const ending = new AbortController()
  const until = AbortSignal.any([signal, ending.signal])
  const joint = new JointProblems(ports.onProblem)
  const one = async <R>(topic: TopicId, sink: RecordSink<R>, codec: Codec<R>): Promise<DeliverCounters> => {
    try {
      return await deliverTopic(
        { ...ports, onProblem: joint.of(topic), signal: until },
        { topic, sink, codec },
      )
    } catch (error) {
      ending.abort()
      throw error
    }
  }
  const ended = await Promise.allSettled([
    one('quotes', ports.sink, quoteJson),
    ...marketTopics.map(topic => one(topic, ports.sink.market, marketRecordJson)),
    ...(ports.sink.quotaEvents ? [one('quotaEvents', ports.sink.quotaEvents, quotaEventJson)] : []),
  ])
  const failed = ended.find(e => e.status === 'rejected')
  if (failed) throw failed.reason
  return sum(ended.flatMap(e => (e.status === 'fulfilled' ? [e.value] : [])))
}

interface TopicDelivery<R> {
  readonly topic: TopicId
  readonly sink: RecordSink<R>
  readonly codec: Codec<R>
}

async function deliverTopic<R>(
  ports: ProcessingPorts & { readonly signal: AbortSignal },
  { topic, sink, codec }: TopicDelivery<R>,
): Promise<DeliverCounters> {
  const { config, broker, clock, signal, rewindMs, losses } = ports
  const at = { topic: topics[topic].name, group: groupOf(topic, ports.sink.name) }
  const report = new DeliveryReport(ports, sink)
  return deliver({
    ...{ broker, clock, signal, codec, ...at },
    ...(rewindMs === undefined ? {} : { startAt: await rewound(broker, at, rewindMs) }),
    sink: report.watched(sink),
    limits: {
      maxRecords: config.batchMaxRecords ?? ports.sink.batchRecords ?? usualBatchRecords,
      maxBytes: config.batchMaxBytes,
      maxAgeMs: config.batchMaxAgeMs,
    },
    deadLetters: openDeadLetters({ broker, topic: topics.deadLetters.name, clock }),
    onEvent: event => {
      report.on(event)
      if (event.kind === 'gap') losses?.hear({ ...event, group: at.group })
    },
  })
}

export const sum = (all: readonly DeliverCounters[]): DeliverCounters => {
  const of = (name: keyof DeliverCounters): number => all.reduce((total, one) => total + one[name], 0)
  return {
    received: of('received'),
    written: of('written'),
    superseded: of('superseded'),
    dead: of('dead'),
    retried: of('retried'),
  }
}
