import { toCryptosError } from '../core/errors.ts'
import type { Clock } from '../core/ports/clock.ts'
import type { RecordSink } from '../core/ports/sink.ts'
import { MINUTE, SECOND } from '../core/time.ts'
import type { DeliverEvent } from '../processors/deliver.ts'
import { errorFields, type Log } from './log.ts'
import type { OnProblem } from './pipeline/problems.ts'

/** What was lost is told for so long, at least. */
const tellGapMs = 10 * MINUTE
/** A write that takes longer is told before it has failed: it waits up to 10 s for another writer. */
const slowMs = 3 * SECOND

type Place = Pick<Extract<DeliverEvent, { kind: 'recovered' }>, 'topic' | 'partition'>
type Failed = Extract<DeliverEvent, { kind: 'write-retried' | 'batch-thrown-back' }>

/** Turns the events of a delivery into what is wrong right now: with the store, or with the log that it reads. */
export class DeliveryReport {
  readonly #ports: { readonly log: Log; readonly clock: Clock; readonly onProblem: OnProblem }
  readonly #fromSink = new WeakSet<Error>()
  /** Partitions with a batch that was thrown back. */
  readonly #ill = new Set<string>()
  readonly #sinkName: string
  #gapAtMs = Number.NEGATIVE_INFINITY

  constructor(
    ports: { readonly log: Log; readonly clock: Clock; readonly onProblem: OnProblem },
    sink: { readonly name: string },
  ) {
    this.#ports = ports
    this.#sinkName = `sink.${sink.name}`
  }

  /** The sink, with its errors told from those of the log. */
  watched<R>(sink: RecordSink<R>): RecordSink<R> {
    return {
      name: sink.name,
      write: (records, source) => this.#watch(() => sink.write(records, source)),
      ...(sink.position ? { position: sink.position.bind(sink) } : {}),
      close: () => sink.close(),
    }
  }

  readonly on = (event: DeliverEvent): void => {
    switch (event.kind) {
      case 'batch-stored':
        this.#stored(event)
        break
      case 'record-dead':
        this.#ports.log.warn(
          { id: event.letter.id, reason: event.letter.reason },
          'a record went to the dead letters',
        )
        break
      case 'write-retried':
        this.#failed(event, 'a write failed and is tried again')
        break
      case 'batch-thrown-back':
        this.#ill.add(keyOf(event))
        this.#failed(event, 'a batch went back to the topic and is tried again')
        break
      case 'recovered':
        this.#ill.delete(keyOf(event))
        this.#logIsWell()
        break
      case 'gap':
        this.#gap(event)
        break
    }
  }

  async #watch<T>(work: () => Promise<T>): Promise<T> {
    const { onProblem } = this.#ports
    const sentence = `storing takes more than ${slowMs / SECOND} s: does another process write?`
    const slow = setTimeout(() => onProblem(this.#sinkName, sentence), slowMs)
    try {
      return await work()
    } catch (error) {
      if (error instanceof Error) this.#fromSink.add(error)
      throw error
    } finally {
      clearTimeout(slow)
    }
  }

  #failed(event: Failed, sentence: string): void {
    const { code, message } = toCryptosError(event.error)
    const name = event.error instanceof Error && this.#fromSink.has(event.error) ? this.#sinkName : 'log'
    const fields = errorFields(event.error)
    this.#ports.onProblem(name, `${sentence}: ${message}`, { kind: code, fields })
    this.#ports.log.debug(fields, sentence)
  }

  #stored({ source, lag, counters }: Extract<DeliverEvent, { kind: 'batch-stored' }>): void {
    const { clock, log, onProblem } = this.#ports
    log.debug({ end: source.end, lag, ...counters }, 'stored a batch')
    onProblem(this.#sinkName, null)
    this.#logIsWell()
    if (clock.monotonicMs() - this.#gapAtMs >= tellGapMs) onProblem('topic.gap', null)
  }

  #logIsWell(): void {
    if (this.#ill.size === 0) this.#ports.onProblem('log', null)
  }

  #gap(event: Extract<DeliverEvent, { kind: 'gap' }>): void {
    this.#gapAtMs = this.#ports.clock.monotonicMs()
    const lost = `${event.to - event.from} records of ${event.topic}`
    const sentence = `retention removed ${lost} before they were stored`
    this.#ports.onProblem('topic.gap', sentence, { fields: event })
  }
}

const keyOf = ({ topic, partition }: Place): string => `${topic}/${partition}`
