import type { Broker } from '../core/ports/broker.ts'
import type { Clock } from '../core/ports/clock.ts'
import type { QuoteSink } from '../core/ports/sink.ts'
import { openDeadLetters } from '../processors/dead-letters.ts'
import { deliver, type DeliverCounters } from '../processors/deliver.ts'
import { openSqliteSink } from '../processors/sinks/sqlite/sink.ts'
import { quoteJson } from '../topics/codecs/quote-json.ts'
import type { Config } from './config/load.ts'
import { DeliveryReport } from './delivery-report.ts'
import type { Log } from './log.ts'
import type { OnProblem } from './pipeline/problems.ts'
import type { Source } from './source.ts'
import { prepareFolder, storeFiles, topics } from './stores.ts'

export interface ProcessingPorts {
  readonly config: Config
  readonly broker: Broker
  readonly sink: QuoteSink
  readonly clock: Clock
  readonly log: Log
  readonly onProblem: OnProblem
}

/** @throws CryptosError CRY_STORE_* */
export async function openSink(source: Source, clock: Clock): Promise<QuoteSink> {
  prepareFolder(source.folder)
  return await openSqliteSink({ file: storeFiles(source.folder).series, clock })
}

/** Stores what comes into the topic until the signal fires. */
export function runProcessing(ports: ProcessingPorts, signal: AbortSignal): Promise<DeliverCounters> {
  const { config, broker, sink, clock } = ports
  const report = new DeliveryReport(ports, sink)
  return deliver({
    broker,
    sink: report.watched(sink),
    clock,
    signal,
    topic: topics.quotes.name,
    codec: quoteJson,
    limits: {
      maxRecords: config.batchMaxRecords,
      maxBytes: config.batchMaxBytes,
      maxAgeMs: config.batchMaxAgeMs,
    },
    deadLetters: openDeadLetters({ broker, topic: topics.deadLetters.name, clock }),
    onEvent: report.on,
  })
}
