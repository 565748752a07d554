import type { Dataset, Provider } from '../collectors/provider.ts'
import { providerById, providers } from '../collectors/registry.ts'
import type { AssetId } from '../core/brands.ts'
import type { Broker } from '../core/ports/broker.ts'
import type { Clock } from '../core/ports/clock.ts'
import { toCryptosError } from '../core/errors.ts'
import { openDeadLetters } from '../processors/dead-letters.ts'
import { judgeDefaults } from '../processors/judge/defaults.ts'
import type { JudgeParameters, Offer } from '../processors/judge/parameters.ts'
import { type JudgeEvent, runJudge } from '../processors/judge/run.ts'
import type { Config } from './config/load.ts'
import { errorFields, type Log } from './log.ts'
import type { OnProblem } from './pipeline/problems.ts'
import type { Source } from './source.ts'
import { sourceViews } from './source-views.ts'
import { topics } from './stores.ts'
import { currencyFor, wantedAssets } from './wanted.ts'

export interface JudgingPorts {
  readonly config: Config
  readonly source: Source
  readonly broker: Broker
  readonly clock: Clock
  readonly log: Log
  readonly onProblem: OnProblem
}

/** Doubts, consensus and who serves, until the signal fires. @throws CryptosError what no other try can mend */
export function runJudging(ports: JudgingPorts, signal: AbortSignal): Promise<void> {
  const { config, source, broker, clock } = ports
  return runJudge({
    ...{ broker, topics, clock, signal },
    parameters: parametersOf(config, source),
    deadLetters: openDeadLetters({ broker, topic: topics.deadLetters.name, clock }),
    onEvent: event => tell(ports, event),
  })
}

const histories = providers.flatMap(({ id, datasets }) =>
  datasets.filter(dataset => dataset.kind === 'history').map(dataset => `${id}/${dataset.id}`),
)

/** The order of sources is the user's; what is off can not serve, and the reason is told beside it. */
export function parametersOf(config: Config, source: Pick<Source, 'kind'>): JudgeParameters {
  const sources = config.spotSources.length > 0 ? config.spotSources : config.providers
  const off = sourceViews(config, source).filter(view => view.why !== null && sources.includes(view.provider))
  const disabled = Object.fromEntries(off.map(view => [view.provider, view.why ?? '']))
  const offers = Object.fromEntries(sources.map(name => [name, offerOf(name, config)]))
  return { ...judgeDefaults, histories, spot: { ...judgeDefaults.spot, sources, disabled, offers } }
}

/** What the provider is asked for: the wanted currency or the one in its place, and the wanted assets that it has; and how often. */
function offerOf(name: string, config: Config): Offer {
  const provider = providerById(name)
  if (!provider) return {}
  const currency = currencyFor(provider, config.currency)
  const priced = provider.datasets.filter(({ kind }) => kind === 'quotes' || kind === 'market')
  const currencies = currency === undefined ? [] : [currency]
  const intervalsMs = intervalsOf(provider, priced, config)
  // Which assets are the largest is known by the answers only.
  if (config.topAssets > 0 && priced.some(dataset => dataset.topMax !== undefined))
    return { currencies, intervalsMs }
  const assets = priced.flatMap(d => wantedAssets({ provider }, d, config).map(a => a.asset))
  return { currencies, assets, intervalsMs }
}

/** An asset of several datasets comes as often as the fastest of them brings it. */
function intervalsOf(
  provider: Provider,
  priced: readonly Dataset[],
  config: Config,
): NonNullable<Offer['intervalsMs']> {
  const byAsset = new Map<AssetId, number>()
  let other = Number.POSITIVE_INFINITY
  for (const dataset of priced.filter(d => isCollected(provider, d, config))) {
    const intervalMs = Math.max(dataset.intervalMs, config.minIntervalSeconds * 1_000)
    if (config.topAssets > 0 && dataset.topMax !== undefined) other = Math.min(other, intervalMs)
    else
      for (const { asset } of wantedAssets({ provider }, dataset, config))
        byAsset.set(asset, Math.min(intervalMs, byAsset.get(asset) ?? intervalMs))
  }
  return other === Number.POSITIVE_INFINITY ? { byAsset } : { byAsset, other }
}

const isCollected = ({ id }: Provider, dataset: Dataset, { datasets }: Config): boolean =>
  datasets.includes(dataset.kind) || datasets.includes(`${id}/${dataset.id}`)

function tell({ log, onProblem }: JudgingPorts, event: JudgeEvent): void {
  switch (event.kind) {
    case 'rebuilt':
    case 'minute':
      log.debug(event, 'judged the sources')
      onProblem('judge', null)
      break
    case 'rebuild-failed':
    case 'publish-failed':
    case 'batch-thrown-back': {
      const { code, message } = toCryptosError(event.error)
      const sentence = `the sources can not be judged, it is tried again: ${message}`
      onProblem('judge', sentence, { kind: code, fields: errorFields(event.error) })
      break
    }
    case 'clock-back':
      log.warn(event, 'our clock went back: what came while it was ahead is not believed')
      break
    case 'minute-failed':
      log.error(errorFields(event.error), 'the sources of one price could not be judged in this minute')
      break
    case 'recovered':
      onProblem('judge', null)
      break
  }
}
