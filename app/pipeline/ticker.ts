import { exitCodeOf, type Outcome } from '../../core/outcomes.ts'
import type { ScopeStatus } from '../../core/ports/ledger.ts'
import { HOUR, MINUTE, SECOND } from '../../core/time.ts'
import type { Dataset } from '../../collectors/provider.ts'
import type { PollPorts } from '../../collectors/poll-types.ts'
import { QuotaEventPublisher } from '../../collectors/publish-quota-events.ts'
import { reconcileUsage } from '../../collectors/usage.ts'
import { reconcileDue } from '../../quota/reconcile.ts'
import type { Collecting } from '../collecting.ts'
import type { Route } from '../routes.ts'
import { topics } from '../stores.ts'
import { type SweepResult, sweep, tellDenied } from '../sweep.ts'
import { datasetsFor } from '../wanted.ts'
import { keepHouse } from './housekeeping.ts'
import { type JobEnd, Jobs, well } from './jobs.ts'
import type { PipelineOptions } from './pipeline.ts'

export interface TickerOptions extends PipelineOptions {
  readonly collecting: Collecting
  /** Told of an error that no other try can mend: the pipeline has to end. */
  readonly onStop: (error: unknown) => void
}

const reapEveryMs = 5 * SECOND
/** How often it is asked whether a provider's own count should be read. */
const usageEveryMs = 5 * SECOND
/** For answers that a crash left, and for the quota events; what a sweep brought is published right after it. */
const publishEveryMs = 10 * SECOND
/** A frozen scope is looked at so often, without a run that would only say so again. */
const frozenEveryMs = 5 * SECOND
const firstHouseMs = 10 * SECOND
/** Work on a database that takes longer is told before it has failed: it waits up to 10 s for another writer. */
const slowMs = 3 * SECOND
/** Outcomes that say nothing about whether the dataset is well. */
const noNews: ReadonlySet<Outcome> = new Set(['not-due', 'backing-off', 'aborted'])
const fine: ReadonlySet<Outcome> = new Set(['already-done'])

/** Asks at each tick who is due and starts what is, one sweep of a dataset at a time. */
export class Ticker {
  readonly #options: TickerOptions
  readonly #jobs: Jobs
  /** Providers whose usage was asked for: nothing is spent before, because the plan may be another than the configured one. */
  readonly #usageAsked = new Set<string>()
  #events: QuotaEventPublisher | undefined
  /** Without a publisher of its own: all pages of a sweep are published together. */
  readonly #collectPorts: PollPorts

  constructor(options: TickerOptions) {
    this.#options = options
    this.#jobs = new Jobs(options)
    this.#jobs.rest('housekeeping', firstHouseMs)
    const { publish: _, ...ports } = options.collecting.ports
    this.#collectPorts = ports
  }

  tick(): void {
    const { collecting, signal } = this.#options
    if (signal.aborted) return
    this.#jobs.start('ledger', () => this.#reap(), slowMs)
    this.#jobs.start('publish', () => this.#publish(), slowMs)
    this.#jobs.start('publish.quota-events', () => this.#publishEvents(), slowMs)
    this.#jobs.start('housekeeping', () => this.#keepHouse())
    for (const route of collecting.routes) {
      const { id } = route.provider
      if (route.scope.hasUsage) this.#jobs.start(`usage.${id}`, () => this.#reconcile(route))
      if (route.scope.hasUsage && !this.#usageAsked.has(id)) continue
      for (const dataset of datasetsFor(route, this.#options.config))
        this.#jobs.start(`collect.${id}.${dataset.id}`, () => this.#sweep(route, dataset))
    }
  }

  /** Resolves when nothing is under way any more. */
  settled(): Promise<void> {
    return this.#jobs.settled()
  }

  async #reap(): Promise<JobEnd> {
    await this.#options.collecting.ledger.reap(this.#options.clock.now())
    return well(reapEveryMs)
  }

  async #keepHouse(): Promise<JobEnd> {
    const { collecting } = this.#options
    const broker = await collecting.broker()
    await keepHouse({ ...this.#options, ledger: collecting.ledger, broker })
    return well(HOUR)
  }

  async #publish(): Promise<JobEnd> {
    const { ledger, ports } = this.#options.collecting
    const { pending } = await ledger.outbox.stats()
    if (pending > 0) await ports.publish?.()
    return well(publishEveryMs)
  }

  async #publishEvents(): Promise<JobEnd> {
    const { ledger, broker } = this.#options.collecting
    const topic = topics.quotaEvents.name
    this.#events ??= new QuotaEventPublisher({
      ledger,
      broker: await broker(),
      topic,
      log: this.#options.log,
    })
    await this.#events.publish()
    return well(publishEveryMs)
  }

  async #sweep(route: Route, dataset: Dataset): Promise<JobEnd> {
    const { config, signal } = this.#options
    // Named by /health as the scope's own trouble, and over at once when it is lifted.
    const frozen = (await this.#statusOf(route))?.frozen
    if (typeof frozen === 'string') {
      await tellDenied(this.#collectPorts, { route, dataset, config, signal }, frozen)
      return well(frozenEveryMs)
    }
    const result = await sweep(this.#collectPorts, { route, dataset, config, signal })
    if (result.pages.some(page => page.records > 0)) await this.#jobs.now('publish', () => this.#publish())
    return this.#endOf(result)
  }

  #endOf({ provider, dataset, outcome, reason, retryAt }: SweepResult): JobEnd {
    const { log, clock } = this.#options
    log.debug({ provider, dataset, outcome }, reason)
    const untilRetryMs = retryAt === undefined ? 0 : (retryAt - clock.now()) / 1_000
    const rest = untilRetryMs > 0 ? { restMs: Math.min(MINUTE, untilRetryMs) } : {}
    if (noNews.has(outcome)) return rest
    if (fine.has(outcome) || exitCodeOf(outcome) === 0) return { trouble: null, ...rest }
    const fields = { provider, dataset, outcome }
    return { trouble: { what: `${outcome}: ${reason}`, kind: outcome, fields }, ...rest }
  }

  async #reconcile(route: Route): Promise<JobEnd> {
    try {
      return await this.#readUsage(route)
    } finally {
      this.#usageAsked.add(route.provider.id)
    }
  }

  async #readUsage(route: Route): Promise<JobEnd> {
    const { collecting, clock, log, signal } = this.#options
    const status = await this.#statusOf(route)
    const why = reconcileDue({ now: clock.now(), hasUsage: true, status })
    if (why === null) return { restMs: usageEveryMs }
    const result = await reconcileUsage(collecting.ports, route.poll, signal)
    const fields = { provider: route.provider.id, why, result: result.kind }
    log.debug(fields, "read the provider's usage")
    if (result.kind !== 'denied' && result.kind !== 'failed') return well(usageEveryMs)
    return { trouble: { what: result.reason, kind: result.kind, fields } }
  }

  async #statusOf({ scope }: Route): Promise<ScopeStatus | undefined> {
    const { collecting, clock } = this.#options
    return (await collecting.ledger.status(clock.now())).find(s => s.scope === scope.scope)
  }
}
