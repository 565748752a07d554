import { exitCodeOf, type Outcome } from '../../core/outcomes.ts'
import { MINUTE, SECOND, toIso } from '../../core/time.ts'
import type { Dataset } from '../../collectors/provider.ts'
import type { PollPorts } from '../../collectors/poll-types.ts'
import { QuotaEventPublisher } from '../../collectors/publish-quota-events.ts'
import { reconcileUsage } from '../../collectors/usage.ts'
import { reconcileDue } from '../../quota/reconcile.ts'
import type { Collecting } from '../collecting.ts'
import { errorFields } from '../log.ts'
import type { Route } from '../routes.ts'
import { topics } from '../stores.ts'
import { type SweepResult, sweep } from '../sweep.ts'
import type { PipelineOptions } from './pipeline.ts'

export interface TickerOptions extends PipelineOptions {
  readonly collecting: Collecting
}

const reapEveryMs = 5 * SECOND
/** How often it is asked whether a provider's own count should be read. */
const usageEveryMs = 5 * SECOND
/** For answers that a crash left, and for the quota events; what a sweep brought is published right after it. */
const publishEveryMs = 10 * SECOND
/** Outcomes that need nobody's eye. */
const quiet: ReadonlySet<Outcome> = new Set(['not-due', 'already-done', 'collected', 'published'])

/** Asks at each tick who is due and starts what is, one sweep of a dataset at a time. */
export class Ticker {
  readonly #options: TickerOptions
  readonly #busy = new Map<string, Promise<void>>()
  /** Not due before this monotonic time, by the planner's word: saves asking the ledger each second. */
  readonly #sleepUntilMs = new Map<string, number>()
  readonly #usageTriedAt = new Map<string, ReturnType<PipelineOptions['clock']['now']>>()
  #reapedAtMs = Number.NEGATIVE_INFINITY
  #publishedAtMs = Number.NEGATIVE_INFINITY

  #events: QuotaEventPublisher | undefined
  /** Without a publisher of its own: all pages of a sweep are published together. */
  readonly #collectPorts: PollPorts

  constructor(options: TickerOptions) {
    this.#options = options
    const { publish: _, ...ports } = options.collecting.ports
    this.#collectPorts = ports
  }

  async tick(): Promise<void> {
    const { collecting, clock, signal } = this.#options
    if (signal.aborted) return
    const nowMs = clock.monotonicMs()
    if (nowMs - this.#reapedAtMs >= reapEveryMs) {
      this.#reapedAtMs = nowMs
      await collecting.ledger.reap(clock.now())
    }
    if (nowMs - this.#publishedAtMs >= publishEveryMs) {
      this.#publishedAtMs = nowMs
      this.#start('publish', () => this.#publish())
      this.#start('publish quota events', () => this.#publishEvents())
    }
    for (const route of collecting.routes) {
      this.#start(`usage ${route.provider.id}`, () => this.#reconcile(route))
      for (const dataset of route.provider.datasets)
        this.#start(`${route.provider.id}/${dataset.id}`, () => this.#sweep(route, dataset))
    }
  }

  /** Resolves when nothing is under way any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#busy.values())
  }

  #start(name: string, work: () => Promise<void>): void {
    if (this.#busy.has(name) || (this.#sleepUntilMs.get(name) ?? 0) > this.#options.clock.monotonicMs())
      return
    const { log, onProblem } = this.#options
    const running = work()
      .catch((error: unknown) => {
        onProblem(name, `${name} failed: ${error instanceof Error ? error.message : String(error)}`)
        log.error(errorFields(error), `${name} failed`)
      })
      .finally(() => this.#busy.delete(name))
    this.#busy.set(name, running)
  }

  async #publish(): Promise<void> {
    const { ledger, ports } = this.#options.collecting
    const { pending } = await ledger.outbox.stats()
    if (pending > 0) await ports.publish?.()
    this.#options.onProblem('publish', null)
  }

  async #publishEvents(): Promise<void> {
    const { ledger, broker } = this.#options.collecting
    this.#events ??= new QuotaEventPublisher({
      ledger,
      broker: await broker(),
      topic: topics.quotaEvents.name,
    })
    await this.#events.publish()
  }

  async #sweep(route: Route, dataset: Dataset): Promise<void> {
    const { config, signal, clock } = this.#options
    const result = await sweep(this.#collectPorts, { route, dataset, config, signal })
    if (result.pages.some(page => page.records > 0)) await this.#publish()
    if (result.retryAt !== undefined) {
      const waitMs = Math.min(MINUTE, (result.retryAt - clock.now()) / 1_000)
      this.#sleepUntilMs.set(`${route.provider.id}/${dataset.id}`, clock.monotonicMs() + waitMs)
    }
    this.#report(result)
  }

  #report({ provider, dataset, outcome, reason, retryAt }: SweepResult): void {
    const { log, onProblem } = this.#options
    const name = `collect.${provider}`
    if (outcome === 'not-due' || outcome === 'already-done' || outcome === 'aborted') return
    onProblem(name, exitCodeOf(outcome) === 0 ? null : `${outcome}: ${reason}`)
    const fields = {
      provider,
      dataset,
      outcome,
      ...(retryAt === undefined ? {} : { retryAt: toIso(retryAt) }),
    }
    if (quiet.has(outcome)) log.debug(fields, reason)
    else log.warn(fields, reason)
  }

  async #reconcile(route: Route): Promise<void> {
    const { collecting, clock, log, signal, onProblem } = this.#options
    if (!route.scope.hasUsage) return
    const now = clock.now()
    const status = (await collecting.ledger.status(now)).find(s => s.scope === route.scope.scope)
    const lastTriedAt = this.#usageTriedAt.get(route.scope.scope) ?? null
    const why = reconcileDue({ now, hasUsage: true, status, lastTriedAt })
    if (why === null) {
      this.#sleepUntilMs.set(`usage ${route.provider.id}`, clock.monotonicMs() + usageEveryMs)
      return
    }
    this.#usageTriedAt.set(route.scope.scope, now)
    const result = await reconcileUsage(collecting.ports, route.poll, signal)
    const failed = result.kind === 'denied' || result.kind === 'failed' ? result.reason : null
    onProblem(`usage.${route.provider.id}`, failed)
    log.info(
      { provider: route.provider.id, why, result: result.kind, ...(failed === null ? {} : { failed }) },
      "read the provider's usage",
    )
  }
}
