import { classify, toCryptosError } from '../../core/errors.ts'
import type { Clock } from '../../core/ports/clock.ts'
import { SECOND } from '../../core/time.ts'
import { errorFields } from '../log.ts'
import type { OnProblem, ProblemDetail } from './problems.ts'

interface Trouble extends ProblemDetail {
  readonly what: string
}

/** How one turn of a job ended. */
export interface JobEnd {
  /** null = all is well; absent = it says nothing new about that. */
  readonly trouble?: Trouble | null
  /** Not again before so long; absent = at the next tick, after trouble a pause that grows. */
  readonly restMs?: number
}

export const well = (restMs: number): JobEnd => ({ trouble: null, restMs })

export interface JobsOptions {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Each job has one name, and reports under no other. */
  readonly onProblem: OnProblem
  /** Told of an error that no other try can mend. */
  readonly onStop: (error: unknown) => void
}

/** Pauses after trouble: 10, 20, 40, then 60 s. */
const firstPauseMs = 10 * SECOND
const longestPauseMs = 60 * SECOND

interface Running {
  readonly sinceMs: number
  readonly done: Promise<void>
}

/** Jobs by name, each at most once at a time: none is tried again and again while it fails, each tells when it is well. */
export class Jobs {
  readonly #options: JobsOptions
  readonly #running = new Map<string, Running>()
  /** By the monotonic clock. */
  readonly #restUntilMs = new Map<string, number>()
  readonly #failures = new Map<string, number>()
  constructor(options: JobsOptions) {
    this.#options = options
  }

  rest(name: string, restMs: number): void {
    this.#restUntilMs.set(name, this.#options.clock.monotonicMs() + restMs)
  }

  /** Starts the job unless it runs or rests. One that has run for more than `slowMs` is told as trouble. */
  start(name: string, work: () => Promise<JobEnd>, slowMs = Number.POSITIVE_INFINITY): void {
    const nowMs = this.#options.clock.monotonicMs()
    const running = this.#running.get(name)
    if (running) {
      if (nowMs - running.sinceMs > slowMs) this.#slow(name, slowMs)
      return
    }
    if ((this.#restUntilMs.get(name) ?? 0) > nowMs) return
    const done = this.now(name, work).finally(() => this.#running.delete(name))
    this.#running.set(name, { sinceMs: nowMs, done })
  }

  /** The job at once, beside one that may run. Never throws. */
  async now(name: string, work: () => Promise<JobEnd>): Promise<void> {
    try {
      this.#ended(name, await work())
    } catch (error) {
      const { code, message } = toCryptosError(error)
      if (code === 'CRY_ABORTED' && this.#options.signal.aborted) return
      this.#ended(name, { trouble: { what: message, kind: code, fields: errorFields(error) } })
      if (classify(error) === 'stop') this.#options.onStop(error)
    }
  }

  /** Resolves when nothing is under way any more. */
  async settled(): Promise<void> {
    await Promise.all([...this.#running.values()].map(running => running.done))
  }

  #ended(name: string, { trouble, restMs }: JobEnd): void {
    if (restMs !== undefined) this.rest(name, restMs)
    if (trouble === undefined) return
    if (trouble === null) {
      this.#failures.delete(name)
      this.#options.onProblem(name, null)
      return
    }
    const failures = this.#failures.get(name) ?? 0
    this.#failures.set(name, failures + 1)
    if (restMs === undefined) this.rest(name, Math.min(longestPauseMs, firstPauseMs * 2 ** failures))
    this.#options.onProblem(name, trouble.what, trouble)
  }

  #slow(name: string, slowMs: number): void {
    const what = `under way for more than ${slowMs / SECOND} s: does another process hold a database?`
    this.#options.onProblem(name, what, { kind: 'slow' })
  }
}
