import { assets } from '../../core/assets.ts'
import type { PlanLimits } from '../../core/ports/ledger.ts'
import type { Access, Dataset, Provider } from '../../collectors/provider.ts'
import { providers } from '../../collectors/registry.ts'
import { page, table } from './table.ts'

/** Limits of a plan as a phrase. */
export const limits = ({ creditsPerMonth, creditsPerDay, callsPerMinute }: PlanLimits): string =>
  [
    creditsPerMonth === null ? '' : `${creditsPerMonth} credits a month`,
    creditsPerDay === null ? '' : `${creditsPerDay} a day`,
    `${callsPerMinute} calls a minute`,
  ]
    .filter(part => part !== '')
    .join(', ')

const told = (access: Access | undefined): string =>
  access === undefined
    ? 'no'
    : `yes: ${limits(access.limits)}${access.retired ? `. **Off since ${access.retired.since}**: ${access.retired.reason}` : ''}`

/** An interval as people say it. */
export const every = (ms: number): string =>
  ms % 3_600_000 === 0 ? `${ms / 3_600_000} h` : ms % 60_000 === 0 ? `${ms / 60_000} min` : `${ms / 1_000} s`

function datasetRow({ id, kind, access, pageSize, refreshMs, intervalMs, doc }: Dataset): string[] {
  const how = access === undefined ? 'both' : access
  const pace =
    kind === 'history' ? 'by `cryptos backfill`' : `every ${every(intervalMs)} (data: ${every(refreshMs)})`
  return [`\`${id}\``, kind, how, String(pageSize), pace, doc]
}

const section = (provider: Provider): string =>
  [
    `## ${provider.id}`,
    `${provider.doc}. [Evidence](../../collectors/providers/${provider.id}/NOTES.md).`,
    [
      `- without a key: ${told(provider.keyless)}`,
      ...(provider.keyed ? [`- with \`${provider.keyName ?? 'a key'}\`: ${told(provider.keyed)}`] : []),
      ...Object.entries(provider.plans ?? {}).map(([name, plan]) => `- plan \`${name}\`: ${limits(plan)}`),
      ...(provider.attribution === undefined
        ? []
        : [`- to be shown beside its data: ${provider.attribution}`]),
      `- currencies: ${provider.currencies?.join(', ') ?? 'any that the API knows'}`,
      ...Object.entries(provider.standIn ?? {}).map(
        ([wanted, got]) => `- prices in ${got} where ${wanted} is wanted: the rows say ${got}`,
      ),
    ].join('\n'),
    table(['dataset', 'kind', 'access', 'assets a call', 'asked', 'what'], provider.datasets.map(datasetRow)),
  ].join('\n\n')

/** `docs/reference/providers.md`. */
export const providerReference = (): string =>
  page(
    'Providers',
    'What each provider folder says of its API. `cryptos providers` tells which are on with your settings, and why one is not.',
    ...providers.map(section),
  )

/** `docs/reference/assets.md`: the asset table of the code, with the stable id of each asset at each provider. */
export const assetReference = (): string =>
  page(
    'Assets',
    "Our ids and the providers' own, by which they are asked: tickers are never keys. `cryptos assets add` adds more for one installation.",
    table(
      ['asset', 'symbol', 'name', ...providers.map(p => p.id as string)],
      assets.map(({ id, symbol, name }) => [
        `\`${id}\``,
        symbol,
        name,
        ...providers.map(p => p.assets.get(id) ?? ''),
      ]),
    ),
  )
