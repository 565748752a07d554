import { providerById } from '../../collectors/registry.ts'
import { CryptosError } from '../../core/errors.ts'
import { toIsoMicros } from '../../dashboards/web/times.ts'
import { checkNames } from '../check-names.ts'
import type { Config } from '../config/load.ts'
import { partsOf } from '../config/parts.ts'
import { parseDuration } from '../duration.ts'
import type { Tolerance } from '../freshness/age.ts'
import { type DatasetLook, lookAtFreshness, type Looked, type LookPorts } from '../freshness/look.ts'
import { durationText } from '../lag/duration-text.ts'
import { openStoreReader } from '../open-store.ts'
import { count } from '../plural.ts'
import { providerNamed } from '../provider-named.ts'
import { done, fromOutcome, type Result } from '../result.ts'
import { type Route, routeOf, routesOf, sayOff, whyOff } from '../routes.ts'
import { settledSource } from '../settled-source.ts'
import type { Source } from '../source.ts'
import { openLedger } from '../stores.ts'
import { using } from '../using.ts'
import { type Action, type Define, sourceOption, withSource } from './command.ts'

const run: Action = async (context, [name], options) => {
  const { config, clock } = context
  checkNames(config)
  const tolerance = toleranceOf(options)
  const source = settledSource(context)
  const named = name === undefined ? undefined : providerNamed(name, 'CRY_USAGE')
  const off = named && whyOff(named, config, source)
  if (named && off)
    return fromOutcome('source-disabled', sayOff(named, off), { ok: true, provider: named.id })
  const routes = named ? [routeOf(named.id, config, source)] : routesOf(config, source)
  const gaps = (): ReturnType<LookPorts['gaps']> =>
    openStoreReader(partsOf(config).stores[0] ?? 'sqlite', { config, source, clock })
  const others: LookPorts['others'] = names => (named ? [] : unnamedRoutes(names, config, source))
  return await using(await openLedger(config, source, clock), async ledger =>
    resultOf(await lookAtFreshness({ config, clock, ledger, gaps, others }, routes, tolerance)),
  )
}

/** Of these, the ones that CRYPTOS_PROVIDERS leaves out; a ledger may also know providers of another version. */
const unnamedRoutes = (names: readonly string[], config: Config, source: Source): readonly Route[] => {
  const left = names.filter(name => !config.providers.includes(name) && providerById(name) !== undefined)
  return routesOf({ ...config, providers: left }, source)
}

/** @throws CryptosError CRY_USAGE */
function toleranceOf(options: Readonly<Record<string, unknown>>): Tolerance {
  const intervals = Number(options['intervals'])
  if (!(intervals >= 1 && intervals <= 10_000))
    throw new CryptosError('CRY_USAGE', '--intervals takes a number from 1 to 10000')
  return { intervals, atLeastMs: parseDuration(String(options['atLeast']), '--at-least') }
}

function resultOf(looked: Looked): Result {
  const datasets = looked.datasets.map(viewOf)
  const stale = looked.datasets.filter(look => look.isStale)
  const unread = looked.gapsUnread === null ? {} : { gapsUnread: looked.gapsUnread }
  const json = { at: toIsoMicros(looked.at), stale: stale.map(nameOf), datasets, ...unread }
  const lines = looked.datasets.map(lineOf).join('\n')
  if (datasets.length === 0)
    return fromOutcome('source-disabled', 'nothing is wanted of the enabled providers', { ok: true, ...json })
  if (stale.length === 0) {
    const reason = `${count(datasets.length, 'dataset')} fresh`
    return done(`${lines}\n${reason}`, { ok: true, reason, ...json })
  }
  const reason = `${stale.length} of ${count(datasets.length, 'dataset')} stale: ${stale.map(one => `${nameOf(one)} ${sentenceOf(one)}`).join('; ')}`
  return { ...fromOutcome('stale', reason, { ok: false, ...json }), text: lines, isReport: true }
}

const nameOf = ({ provider, dataset }: DatasetLook): string => `${provider}/${dataset}`

const lineOf = (look: DatasetLook): string =>
  `${nameOf(look)}: ${look.isStale ? 'STALE' : 'fresh'}, ${sentenceOf(look)}`

function sentenceOf(look: DatasetLook): string {
  const age = look.ageMs === null ? 'never asked' : ageText(look, look.ageMs)
  const why = look.cause === null ? '' : `: ${look.cause.reason}`
  return `${age} (may be ${durationText(look.staleAfterMs)})${why}`
}

const ageText = ({ answeredAt }: DatasetLook, ageMs: number): string =>
  answeredAt === null
    ? `no answer in ${durationText(ageMs)} since the first try`
    : `answered ${durationText(ageMs)} ago`

const viewOf = (look: DatasetLook) => ({
  provider: look.provider,
  dataset: look.dataset,
  state: look.isStale ? 'stale' : 'fresh',
  answeredAt: look.answeredAt === null ? null : toIsoMicros(look.answeredAt),
  ageSeconds: look.ageMs === null ? null : Math.round(look.ageMs / 1_000),
  intervalSeconds: Math.round(look.pace.intervalMs / 1_000),
  staleAfterSeconds: Math.round(look.staleAfterMs / 1_000),
  held: look.pace.held,
  cause: look.cause?.kind ?? null,
  reason: look.cause?.reason ?? null,
})

export const define: Define = (program, act) => {
  program
    .command('freshness')
    .description(
      'whether each wanted dataset has a young answer, and why not: nothing ran, all was skipped, or the source fails; exit code 1 where one is stale',
    )
    .argument(
      '[provider]',
      'only this one; without it every enabled provider, and what a scheduler ran in the last hour',
    )
    .option('--intervals <n>', 'stale after so many intervals, as the planner paces it now', '3')
    .option('--at-least <duration>', 'never stale before', '5m')
    .option(...sourceOption)
    .action(act(run, withSource))
}
