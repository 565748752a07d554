import { randomUUID } from 'node:crypto'
import { classify } from '../core/errors.ts'
import type { Outcome } from '../core/outcomes.ts'
import type { Broker } from '../core/ports/broker.ts'
import type { Clock } from '../core/ports/clock.ts'
import type { Ledger } from '../core/ports/ledger.ts'
import { createHttpClient, type HttpClient } from '../collectors/http.ts'
import { createPace } from '../collectors/pace.ts'
import type { PollPorts } from '../collectors/poll-types.ts'
import type { Dataset } from '../collectors/provider.ts'
import { reconcileWhenDue } from '../collectors/usage.ts'
import { MINUTE } from '../core/time.ts'
import { publishWithinMs } from '../collectors/publish-own.ts'
import { checkNames } from './check-names.ts'
import { partsOf } from './config/parts.ts'
import { type Config, keyTexts } from './config/load.ts'
import { errorFields, type Log } from './log.ts'
import { noteSweep } from './note-sweep.ts'
import { providerNamed } from './provider-named.ts'
import { Publishing } from './publishing.ts'
import { type Route, routeOf, routesOf, sayOff, whyOff } from './routes.ts'
import type { Source } from './source.ts'
import { withoutSecrets } from './without-secrets.ts'
import { openBroker, openLedger } from './stores.ts'
import { type SweepResult, type SweepTask, sweep } from './sweep.ts'
import { datasetsFor } from './wanted.ts'

export interface CollectContext {
  readonly config: Config
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
}

/** All that collecting needs, open. */
export interface Collecting {
  readonly ledger: Ledger
  /** Opened at the first use: a collector should call before it pays for that. */
  broker(): Promise<Broker>
  readonly routes: readonly Route[]
  readonly ports: PollPorts
  readonly http: HttpClient
  close(): Promise<void>
}

/**
 * Opens ledger, log and HTTP client for these providers (all enabled ones by default) and opens their scopes.
 * @throws CryptosError CRY_STORE_*, CRY_CONFIG_INVALID
 */
export async function openCollecting(
  context: CollectContext,
  source: Source,
  names?: readonly string[],
): Promise<Collecting> {
  const { config, clock, log } = context
  checkNames(config)
  const routes =
    names === undefined
      ? routesOf(config, source)
      : names.filter(name => offOf(name, config, source) === null).map(name => routeOf(name, config, source))
  const ledger = await openLedger(config, source, clock)
  let opening: Promise<Broker> | undefined
  /** Why there is no broker, where no other try can mend it. */
  let hopeless: unknown
  const broker = (): Promise<Broker> => {
    opening ??= openBroker(config, source, clock).catch((error: unknown) => {
      // The next caller tries again: a server may be back by then.
      opening = undefined
      if (classify(error) === 'stop') hopeless = error
      throw error
    })
    return opening
  }
  for (const route of routes) await ledger.openScope(route.scope, clock.now())
  const client = createHttpClient({
    clock,
    allowedHosts: routes.map(r => new URL(r.poll.access.baseUrl).hostname),
    ...(source.sandboxUrl === undefined ? {} : { sandboxOrigin: source.sandboxUrl }),
    maxBytes: config.httpMaxBytes,
    connectDeadlineMs: config.httpConnectTimeoutMs,
  })
  const http = withoutSecrets(client, keyTexts(config))
  const pace = createPace()
  const publishing = new Publishing({
    ...{ ledger, broker, clock, log, signal: context.signal },
    isServer: partsOf(config).broker === 'kafka',
  })
  const ports = {
    ledger,
    http,
    clock,
    pace,
    newId: randomUUID,
    publish: publishing.publish,
    reportGaps: publishing.reportGaps,
    log,
    deadlineMs: config.httpDeadlineMs,
    ...(config.spender === undefined ? {} : { spender: config.spender }),
  }
  const close = async (): Promise<void> => {
    await pace.close()
    http.close()
    try {
      const opened = await opening
      await opened?.close()
      await publishing.settled()
      // What was collected waits in the outbox, but somebody has to do something.
      if (!opened && hopeless !== undefined) throw hopeless
    } finally {
      await ledger.close()
    }
  }
  return { ledger, broker, routes, ports, http, close }
}

export interface CollectOptions extends Pick<SweepTask, 'period' | 'ifDue' | 'run'> {
  readonly names?: readonly string[]
  /** This dataset alone; where the setting does not want it, it is skipped. */
  readonly dataset?: string
}

/** One sweep over every dataset of the enabled providers, after the provider's own count where that is due; then closes everything. */
export async function collectOnce(
  context: CollectContext,
  source: Source,
  options: CollectOptions = {},
): Promise<readonly SweepResult[]> {
  const { names, dataset, period } = options
  const collecting = await openCollecting(context, source, names)
  try {
    const { routes } = collecting
    // A scheduler names its slot: it tells others that the answer is there, and its retry of the slot costs no call.
    const within = typeof period === 'number' ? { publishWithinMs } : {}
    const ports = { ...collecting.ports, ...within }
    const startedAt = context.clock.now()
    const swept = (await Promise.all(routes.map(route => sweepRoute(context, ports, route, options)))).flat()
    const off = (names ?? []).flatMap(name => offResult(name, context.config, source, dataset))
    return await Promise.all(
      [...swept, ...off].map(result => {
        const refreshMs = datasetNamed(result.provider, result.dataset)?.refreshMs ?? MINUTE
        return noteSweep(ports, result, { startedAt, period, refreshMs })
      }),
    )
  } finally {
    await collecting.close()
  }
}

const datasetNamed = (provider: string, id: string): Dataset | undefined =>
  providerNamed(provider, 'CRY_CONFIG_INVALID').datasets.find(dataset => dataset.id === id)

/** What is told about a provider that was named and is off. */
function offResult(name: string, config: Config, source: Source, dataset?: string): SweepResult[] {
  const provider = providerNamed(name, 'CRY_CONFIG_INVALID')
  const off = whyOff(provider, config, source)
  if (off === null) return []
  const what = {
    dataset: dataset ?? provider.datasets[0]?.id ?? '',
    pages: [],
    reason: sayOff(provider, off),
  }
  return [{ provider: provider.id, outcome: 'source-disabled', ...what }]
}

const offOf = (name: string, config: Config, source: Source) =>
  whyOff(providerNamed(name, 'CRY_CONFIG_INVALID'), config, source)

/** The datasets of one provider, none of which is asked for where the provider refuses the key. */
async function sweepRoute(
  context: CollectContext,
  ports: PollPorts,
  route: Route,
  { dataset: only, names: _, ...how }: CollectOptions,
): Promise<readonly SweepResult[]> {
  const { config, signal } = context
  const { id } = route.provider
  const wanted = datasetsFor(route, config).filter(dataset => only === undefined || dataset.id === only)
  const skipped = (dataset: string, outcome: Outcome, reason: string): SweepResult => ({
    ...{ provider: id, dataset, pages: [], outcome, reason },
  })
  if (only !== undefined && wanted.length === 0)
    return [skipped(only, 'source-disabled', `CRYPTOS_DATASETS does not want ${id}/${only}`)]
  const refusal = await readUsage(context, ports, route)
  if (refusal !== null) return wanted.map(dataset => skipped(dataset.id, 'unauthorized', refusal))
  return Promise.all(wanted.map(dataset => sweep(ports, { route, dataset, config, signal, ...how })))
}

/**
 * Rules 5-7 in a process that lives for one sweep. Returns the provider's words when it refuses the key: another call would be in
 * vain. Any other failure is left to the sweep to tell; whether anything may be spent is the ledger's word.
 */
async function readUsage(
  { signal, log }: CollectContext,
  ports: PollPorts,
  route: Route,
): Promise<string | null> {
  const provider = route.provider.id
  try {
    const asked = await reconcileWhenDue(ports, route.poll, signal)
    if (asked === null) return null
    const { why, result } = asked
    log.debug({ provider, why, ...result }, "read the provider's usage")
    return result.kind === 'failed' && result.unauthorized ? result.reason : null
  } catch (error) {
    log.debug({ provider, ...errorFields(error) }, "the provider's usage could not be read")
    return null
  }
}
