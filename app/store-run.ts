import { classify, toCryptosError } from '../core/errors.ts'
import { MINUTE, SECOND } from '../core/time.ts'
import type { DeliverCounters } from '../processors/deliver.ts'
import { errorFields } from './log.ts'
import type { StoreSink } from './open-store.ts'
import { hourly, keepStore } from './pipeline/housekeeping.ts'
import { type ProcessingPorts, runProcessing, sum } from './processing.ts'
import type { StoreToRun } from './storing.ts'

type Ports = Omit<ProcessingPorts, 'sink'>

const firstPauseMs = SECOND
const longestPauseMs = 30 * SECOND
/** After what no other try can mend, but a person can: a grant, a table. */
const stoppedPauseMs = MINUTE

/** One store from the first time that it is opened to the signal. */
export class StoreRun {
  readonly #ports: Ports
  readonly #store: StoreToRun
  /** The stores that are not stopped, shared by all. */
  readonly #going: Set<StoreToRun>
  #counters: readonly DeliverCounters[] = []
  constructor(ports: Ports, store: StoreToRun, going: Set<StoreToRun>) {
    this.#ports = ports
    this.#store = store
    this.#going = going
  }

  /** @throws CryptosError see `runStores` */
  async run(signal: AbortSignal): Promise<DeliverCounters> {
    let first = await this.#open(signal)
    for (let stopped: unknown; ; first = undefined) {
      try {
        const sink = first ?? (await this.#open(signal))
        if (sink === undefined) break
        stopped = undefined
        this.#going.add(this.#store)
        await this.#fill(sink, signal)
      } catch (error) {
        stopped = error
        await this.#rest(error, signal)
      }
      if (!signal.aborted) continue
      if (stopped !== undefined) throw stopped
      break
    }
    return sum(this.#counters)
  }

  /** Until somebody may have mended it. @throws the error where nothing goes on beside this store */
  async #rest(error: unknown, signal: AbortSignal): Promise<void> {
    this.#going.delete(this.#store)
    if (this.#store.isEssential || this.#going.size === 0) throw error
    const sentence = `nothing is stored here until this is mended: ${toCryptosError(error).message}`
    this.#ports.onProblem(`sink.${this.#store.name}`, sentence, { fields: errorFields(error) })
    await this.#ports.clock.sleep(stoppedPauseMs, signal).catch(ended)
  }

  /** undefined = the signal fired before. @throws CryptosError what waiting does not mend */
  async #open(signal: AbortSignal): Promise<StoreSink | undefined> {
    const { clock, onProblem } = this.#ports
    const { name, open } = this.#store
    for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      try {
        const sink = await open()
        onProblem(`sink.${name}`, null)
        return sink
      } catch (error) {
        const reaction = classify(error)
        if (reaction !== 'retry' && reaction !== 'wait') throw error
        const { code, message } = toCryptosError(error)
        const detail = { kind: code, fields: errorFields(error) }
        onProblem(`sink.${name}`, `the store can not be opened, it is tried again: ${message}`, detail)
      }
      await clock.sleep(pauseMs, signal).catch(ended)
    }
    return undefined
  }

  async #fill(sink: StoreSink, signal: AbortSignal): Promise<void> {
    const stopped = new AbortController()
    const keep = (): Promise<number> => keepStore({ ...this.#ports, store: sink.market })
    const keeping = hourly(keep, this.#ports, AbortSignal.any([signal, stopped.signal]))
    try {
      this.#counters = [...this.#counters, await runProcessing({ ...this.#ports, sink }, signal)]
    } finally {
      stopped.abort()
      await keeping
      const { log } = this.#ports
      await sink.close().catch(error => log.warn(errorFields(error), 'a store was not closed'))
    }
  }
}

/** The signal ends the wait: the loop sees it. */
const ended = (): undefined => undefined
