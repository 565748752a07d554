import { type CryptosError, classify, toCryptosError } from '../../core/errors.ts'
import type { BatchLimits, Broker, PartitionBatch, TopicMessage } from '../../core/ports/broker.ts'
import type { Clock } from '../../core/ports/clock.ts'
import { EpochMicros } from '../../core/brands.ts'
import { quoteJson } from '../../topics/codecs/quote-json.ts'
import { marketRecordMessage, quoteMessage } from '../../topics/messages.ts'
import type { TopicTable } from '../../topics/table.ts'
import { type DeadLetters, letterOf } from '../dead-letters.ts'
import { pauseMsOf, withRetry } from '../retry.ts'
import { type Input, readInput } from './input.ts'
import { Judge, type JudgeOutput } from './judge.ts'
import { judgeDefaults } from './defaults.ts'
import type { JudgeParameters } from './parameters.ts'
import { type Past, rebuild } from './rebuild.ts'

export interface JudgeOptions {
  readonly broker: Broker
  readonly topics: TopicTable
  readonly clock: Clock
  readonly deadLetters: Pick<DeadLetters, 'write'>
  /** Ends the work after the batch in hand; `runJudge` then resolves. */
  readonly signal: AbortSignal
  readonly parameters?: JudgeParameters
  readonly limits?: BatchLimits
  readonly onEvent?: (event: JudgeEvent) => void
  /** 0 to below 1, for the jitter of pauses. */
  readonly rng?: () => number
}

export type JudgeEvent =
  /** What was can not be read now: it is tried again after the pause, and nothing is judged until then. */
  | { readonly kind: 'rebuild-failed'; readonly pauseMs: number; readonly error: unknown }
  | { readonly kind: 'rebuilt'; readonly records: number; readonly backlog: number }
  | { readonly kind: 'minute'; readonly at: EpochMicros; readonly outputs: number }
  /** Our clock went back over a minute that was told: the minutes go on from here. */
  | { readonly kind: 'clock-back'; readonly at: EpochMicros; readonly from: EpochMicros }
  /** A price that could not be worked out in this minute; the others were. */
  | { readonly kind: 'minute-failed'; readonly at: EpochMicros; readonly error: unknown }
  /** Doubts that could not be published wait; consensus and roles of that minute are gone, the next minute is told anew. */
  | { readonly kind: 'publish-failed'; readonly at: EpochMicros; readonly error: unknown }
  | {
      readonly kind: 'batch-thrown-back'
      readonly topic: string
      readonly partition: number
      readonly error: unknown
    }
  | { readonly kind: 'recovered'; readonly topic: string; readonly partition: number }

export const judgeGroup = 'judge'

const defaultLimits: BatchLimits = { maxRecords: 500, maxBytes: 4_000_000, maxAgeMs: 500 }
const minuteMicros = 60_000_000
/** Values of the minute's last seconds are still on their way when it ends. */
const settleMs = 3_000
const maxAttempts = 5

/**
 * Judges the quotes and gaps of the topics until the signal fires: doubts as they come, consensus and roles each UTC minute. A batch is
 * committed when its doubts are durable; a crash repeats records, and what comes out has the same identities again.
 * @throws CryptosError what `classify` calls 'stop', and nothing else
 */
export async function runJudge(options: JudgeOptions): Promise<void> {
  await new JudgeRun(options).run()
}

class JudgeRun {
  readonly #o: JudgeOptions
  readonly #judge: Judge
  readonly #ending = new AbortController()
  readonly #signal: AbortSignal
  /** Doubts that are not durable yet: a batch that comes again finds its records known, so they are kept here. */
  #pending: JudgeOutput[] = []
  #stopError: unknown
  #lastMinute = 0
  constructor(options: JudgeOptions) {
    this.#o = options
    this.#judge = new Judge(options.parameters ?? judgeDefaults)
    this.#signal = AbortSignal.any([options.signal, this.#ending.signal])
  }

  async run(): Promise<void> {
    const { topics, clock } = this.#o
    const names = [topics.quotes.name, topics.sourceEvents.name]
    const past = await this.#past()
    if (!past) return
    for (const { input, isBacklog } of past.items) {
      const flags = this.#observe(input)
      if (isBacklog) this.#pending.push(...flags)
    }
    this.#o.onEvent?.({ kind: 'rebuilt', records: past.items.length, backlog: past.backlog })
    await this.#told(clock.now(), () => this.#flush(this.#signal))
    const minutes = this.#minutes().catch((error: unknown) => this.#stop(error))
    try {
      await this.#consume(names, past.next)
    } finally {
      this.#ending.abort()
      await minutes
    }
    if (this.#stopError !== undefined) throw this.#stopError
  }

  /** What no other try can mend is thrown; the rest is waited for, like later on. undefined = told to end meanwhile. */
  async #past(): Promise<Past | undefined> {
    const { broker, topics, clock } = this.#o
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await rebuild({ broker, group: judgeGroup, topics, now: clock.now(), signal: this.#signal })
      } catch (error) {
        if (this.#signal.aborted) return undefined
        if (classify(error) === 'stop') throw error
        const pauseMs = pauseMsOf(attempt, this.#o.rng ?? Math.random)
        this.#o.onEvent?.({ kind: 'rebuild-failed', pauseMs, error })
        if (!(await this.#slept(pauseMs))) return undefined
      }
    }
  }

  /** False = told to end meanwhile. */
  async #slept(durationMs: number): Promise<boolean> {
    try {
      await this.#o.clock.sleep(durationMs, this.#signal)
      return true
    } catch (error) {
      if (this.#signal.aborted) return false
      throw error
    }
  }

  async #consume(names: readonly string[], next: ReadonlyMap<string, number>): Promise<void> {
    await this.#o.broker.consume({
      group: judgeGroup,
      topics: names,
      limits: this.#o.limits ?? defaultLimits,
      signal: this.#signal,
      startAt: async (topic, partition) => await Promise.resolve(next.get(`${topic}|${partition}`)),
      onBatch: (batch, signal) => this.#take(batch, signal),
      onError: (error, batch) => this.#thrownBack(error, batch),
      onRecovered: place => this.#o.onEvent?.({ kind: 'recovered', ...place }),
    })
  }

  #observe(input: Input): readonly JudgeOutput[] {
    const now = this.#o.clock.now()
    return input.kind === 'quote' ? this.#judge.observe(input, now) : this.#judge.observeGap(input, now)
  }

  async #take(batch: PartitionBatch, signal: AbortSignal): Promise<void> {
    for (const message of batch.messages) {
      const read = readInput(message, this.#o.topics)
      if (!read.ok) await this.#bury(message, read.error)
      else if (read.record) this.#pending.push(...this.#observe(read.record))
    }
    await this.#flush(signal)
  }

  /** Only what was durably published leaves the list; two flushes at once publish the same twice, which is the same rows. */
  async #flush(signal: AbortSignal): Promise<void> {
    const outputs = [...this.#pending]
    if (outputs.length === 0) return
    await this.#publish(outputs, signal)
    const published = new Set(outputs)
    this.#pending = this.#pending.filter(output => !published.has(output))
  }

  async #publish(outputs: readonly JudgeOutput[], signal: AbortSignal): Promise<void> {
    const messages = outputs.map(output => this.#messageOf(output))
    const { clock, broker } = this.#o
    const rng = this.#o.rng ?? Math.random
    await withRetry(() => broker.produce(messages), {
      clock,
      signal,
      rng,
      maxAttempts,
      onRetry: () => undefined,
    })
  }

  #messageOf(output: JudgeOutput): TopicMessage {
    return output.kind === 'quote'
      ? quoteMessage(this.#o.topics.quotes.name, output, quoteJson)
      : marketRecordMessage(this.#o.topics, output)
  }

  async #bury(message: PartitionBatch['messages'][number], error: CryptosError): Promise<void> {
    const { code, message: reason } = error
    await this.#o.deadLetters.write([
      letterOf(message, { stage: judgeGroup, code, reason, at: this.#o.clock.now() }),
    ])
  }

  #thrownBack(error: unknown, { topic, partition }: PartitionBatch): void {
    this.#o.onEvent?.({ kind: 'batch-thrown-back', topic, partition, error })
    if (classify(error) === 'stop') this.#stop(error)
  }

  #stop(error: unknown): void {
    this.#stopError ??= error
    this.#ending.abort()
  }

  /** Wakes a little after each minute of the UTC grid. A minute that was slept through is not made up: nobody knows what was so. */
  async #minutes(): Promise<void> {
    const { clock } = this.#o
    while (!this.#signal.aborted) {
      const now = clock.now()
      const due = (Math.floor(now / minuteMicros) + 1) * minuteMicros + settleMs * 1_000
      if (!(await this.#slept((due - now) / 1_000))) return
      await this.#minute()
    }
  }

  async #minute(): Promise<void> {
    const now = this.#o.clock.now()
    const at = EpochMicros(Math.floor(now / minuteMicros) * minuteMicros)
    if (at === this.#lastMinute) return
    if (at < this.#lastMinute)
      this.#o.onEvent?.({ kind: 'clock-back', at, from: EpochMicros(this.#lastMinute) })
    this.#lastMinute = at
    const outputs = this.#judge.minute(at, now, error =>
      this.#o.onEvent?.({ kind: 'minute-failed', at, error: toCryptosError(error) }),
    )
    await this.#told(at, async () => {
      await this.#flush(this.#signal)
      await this.#publish(outputs, this.#signal)
      this.#o.onEvent?.({ kind: 'minute', at, outputs: outputs.length })
    })
  }

  /** What can not be published now ends neither the minutes nor the subscription. */
  async #told(at: EpochMicros, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!this.#signal.aborted)
        this.#o.onEvent?.({ kind: 'publish-failed', at, error: toCryptosError(error) })
    }
  }
}
