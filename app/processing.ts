import type { Broker } from '../core/ports/broker.ts'
import type { Clock } from '../core/ports/clock.ts'
import type { QuoteSink } from '../core/ports/sink.ts'
import { openDeadLetters } from '../processors/dead-letters.ts'
import { deliver, type DeliverCounters, type DeliverEvent } from '../processors/deliver.ts'
import { openSqliteSink } from '../processors/sinks/sqlite/sink.ts'
import { quoteJson } from '../topics/codecs/quote-json.ts'
import type { Config } from './config/load.ts'
import { errorFields, type Log } from './log.ts'
import type { Source } from './source.ts'
import { prepareFolder, storeFiles, topics } from './stores.ts'

export interface ProcessingPorts {
  readonly config: Config
  readonly broker: Broker
  readonly sink: QuoteSink
  readonly clock: Clock
  readonly log: Log
  readonly onProblem: (name: string, what: string | null) => void
}

/** @throws CryptosError CRY_STORE_* */
export async function openSink(source: Source, clock: Clock): Promise<QuoteSink> {
  prepareFolder(source.folder)
  return await openSqliteSink({ file: storeFiles(source.folder).series, clock })
}

/** Stores what comes into the topic until the signal fires. */
export function runProcessing(ports: ProcessingPorts, signal: AbortSignal): Promise<DeliverCounters> {
  const { config, broker, sink, clock } = ports
  return deliver({
    broker,
    sink,
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
    onEvent: event => report(ports, event),
  })
}

function report({ log, onProblem }: ProcessingPorts, event: DeliverEvent): void {
  switch (event.kind) {
    case 'batch-stored':
      onProblem('sink.sqlite', null)
      log.debug({ end: event.source.end, lag: event.lag, ...event.counters }, 'stored a batch')
      break
    case 'record-dead':
      log.warn(
        {
          id: event.letter.id,
          reason: event.letter.reason,
        },
        'a record went to the dead letters',
      )
      break
    case 'write-retried':
      onProblem('sink.sqlite', `storing fails and is tried again: ${errorText(event.error)}`)
      log.warn({ attempt: event.attempt, ...errorFields(event.error) }, 'a write is tried again')
      break
    case 'batch-thrown-back':
      onProblem('sink.sqlite', `a batch could not be stored: ${errorText(event.error)}`)
      log.error(errorFields(event.error), 'a batch went back to the topic')
      break
    case 'gap':
      onProblem(
        'topic.gap',
        `retention removed ${event.to - event.from} records of ${event.topic} before they were stored`,
      )
      log.error({ ...event }, 'records were lost to retention before they were stored')
      break
  }
}

const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error))
