import { assets, findAsset } from '../../core/assets.ts'
import { AssetId } from '../../core/brands.ts'
import { CryptosError } from '../../core/errors.ts'
import { askListings, type Listing } from '../assets/catalogs.ts'
import { type OwnAsset, writeOwnAssets } from '../assets/own-assets.ts'
import {
  type Candidate,
  candidatesOf,
  faultsOf,
  idsOf as knownIds,
  newListings,
  onlyOne,
} from '../assets/proposals.ts'
import { count } from '../plural.ts'
import { providerNamed } from '../provider-named.ts'
import { done, fromOutcome, type Result } from '../result.ts'
import { currencyFor } from '../wanted.ts'
import { type Action, type Context, type Define, sourceOption, withSource } from './command.ts'

type Options = Readonly<Record<string, unknown>>

const usage = (sentence: string): never => {
  throw new CryptosError('CRY_USAGE', sentence)
}

const list: Action = async ({ config }) => {
  const all = [...assets, ...config.ownAssets]
  const text = all.map(a => `${a.id.padEnd(16)} ${a.symbol.padEnd(6)} ${a.name}`)
  return done(text.join('\n'), { assets: all })
}

/** Who has it, under which id; nothing is chosen for the user. */
const find: Action = async (context, [text], options) => {
  const top = options['top'] === undefined ? undefined : wholeOf(options['top'])
  if ((text === undefined) === (top === undefined)) return usage('give a symbol, or --top N for new listings')
  const listings = await askListings(context, providersOf(options), text)
  const found = listings.flatMap(({ route, entries }) => {
    const candidates = candidatesOf(route.provider, entries, context.config.ownAssets)
    return top === undefined ? candidates : newListings(candidates, top)
  })
  const lines = [...found.map(lineOf), ...sayAmbiguous(text, listings, context), ...sayUnlisted(listings)]
  const none = top === undefined ? `nobody lists ${text ?? ''}` : `the ${top} largest are all in the table`
  return done(lines.length === 0 ? none : lines.join('\n'), { candidates: found, ...unlisted(listings) })
}

function lineOf({ provider, sourceId, symbol, name, currency, rank, isActive, knownAs }: Candidate): string {
  const facts = [
    rank === undefined ? '' : `rank ${rank}`,
    currency ?? '',
    isActive ? '' : 'not active',
    knownAs === null ? '' : `= ${knownAs}`,
  ]
  const told = facts.filter(fact => fact !== '').join(', ')
  return `${provider.padEnd(16)} ${sourceId.padEnd(24)} ${symbol.padEnd(8)} ${name}${told && ` (${told})`}`
}

const sayAmbiguous = (text: string | undefined, listings: readonly Listing[], context: Context): string[] =>
  listings.flatMap(({ route, entries }) => {
    const meant = onlyOne(candidatesOf(route.provider, entries, []), currencyOf(route.provider.id, context))
    return text !== undefined && Array.isArray(meant)
      ? [
          `${count(meant.length, 'asset')} of ${route.provider.title} are called ${text.toUpperCase()}: name one by --id`,
        ]
      : []
  })

const currencyOf = (provider: string, { config }: Context): string =>
  currencyFor(providerNamed(provider, 'CRY_USAGE'), config.currency) ?? config.currency

const unlisted = (listings: readonly Listing[]) => ({
  unlisted: listings.flatMap(({ route, why }) =>
    why === null ? [] : [{ provider: route.provider.id, why }],
  ),
})
const sayUnlisted = (listings: readonly Listing[]): string[] =>
  unlisted(listings).unlisted.map(({ provider, why }) => `${provider.padEnd(16)} gave no list: ${why}`)

/** Adds an asset with the ids that are told, and those that can not be meant otherwise. */
const add: Action = async (context, [id = ''], options) => {
  const { config } = context
  const asset = newId(id, config.ownAssets)
  const symbol = options['symbol'] === undefined ? id.toUpperCase() : String(options['symbol'])
  const told = idsOf(options)
  const listings = await askListings(
    context,
    Object.keys(told).length === 0 ? undefined : Object.keys(told),
    symbol,
  )
  const chosen =
    Object.keys(told).length === 0 ? choose(listings, symbol, context) : checkTold(told, listings)
  const name = String(options['name'] ?? nameIn(listings, chosen) ?? symbol)
  refuseKnown(chosen, listings, config.ownAssets)
  const source = listings[0]?.source ?? 'live'
  const added = { id: asset, symbol, name, ids: chosen, source }
  writeOwnAssets(config.dataDir, [...config.ownAssets, added])
  const where = Object.entries(chosen).map(([provider, sourceId]) => `${provider} ${sourceId}`)
  const whose = source === 'sandbox' ? ' in the sandbox (its ids are made up: live data do without them)' : ''
  return done(
    `${asset} (${symbol}) is known now${whose}: ${where.join(', ')}; collect it with CRYPTOS_ASSETS`,
    {
      added,
    },
  )
}

function newId(id: string, own: readonly OwnAsset[]): AssetId {
  if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(id))
    usage(`"${id.slice(0, 64)}" is no asset id: small letters, digits and dashes`)
  if (findAsset(id) !== undefined || own.some(asset => asset.id === id))
    usage(`${id} is in the table already`)
  return AssetId(id)
}

/** `--id kraken=FOOUSD`, as often as wanted. */
function idsOf(options: Options): Readonly<Record<string, string>> {
  const pairs = (options['id'] as readonly string[] | undefined) ?? []
  return Object.fromEntries(
    pairs.map(pair => {
      const at = pair.indexOf('=')
      if (at < 1 || at === pair.length - 1) usage(`--id: "${pair.slice(0, 60)}" is not provider=id`)
      return [providerNamed(pair.slice(0, at), 'CRY_USAGE').id as string, pair.slice(at + 1)]
    }),
  )
}

/** Where only one can be meant. Where several can, nothing is guessed. @throws CryptosError CRY_USAGE */
function choose(listings: readonly Listing[], symbol: string, context: Context): Record<string, string> {
  const chosen: Record<string, string> = {}
  for (const { route, entries } of listings) {
    const { id, title } = route.provider
    const meant = onlyOne(candidatesOf(route.provider, entries, []), currencyOf(id, context))
    if (meant !== undefined && 'length' in meant)
      usage(
        `${count(meant.length, 'asset')} of ${title} are called ${symbol} (${meant
          .slice(0, 5)
          .map(c => `${c.sourceId} ${c.name}`)
          .join(', ')} …): choose with --id ${id}=<id>, and name the other providers the same way`,
      )
    else if (meant !== undefined) chosen[id] = (meant as Candidate).sourceId
  }
  if (Object.keys(chosen).length === 0)
    usage(
      `no enabled provider lists ${symbol}${sayUnlisted(listings)
        .map(line => `; ${line}`)
        .join('')}`,
    )
  return chosen
}

/** An id that the provider does not list is a typing error. A provider without a list is believed. @throws CryptosError CRY_USAGE */
function checkTold(
  told: Readonly<Record<string, string>>,
  listings: readonly Listing[],
): Record<string, string> {
  for (const { route, entries, why } of listings) {
    const sourceId = told[route.provider.id]
    if (why !== null || sourceId === undefined || entries.some(e => e.sourceId === sourceId)) continue
    usage(
      `--id: ${route.provider.title} does not list ${sourceId} under that symbol (say which with --symbol): cryptos assets find shows what it lists`,
    )
  }
  return { ...told }
}

/** An id has one name: a second would take its price. @throws CryptosError CRY_USAGE */
function refuseKnown(
  chosen: Readonly<Record<string, string>>,
  listings: readonly Listing[],
  own: readonly OwnAsset[],
): void {
  for (const { route } of listings)
    for (const [asset, sourceId] of knownIds(route.provider, own))
      if (chosen[route.provider.id] === sourceId)
        usage(`${sourceId} is ${asset} at ${route.provider.title} already: collect it under that name`)
}

const nameIn = (listings: readonly Listing[], chosen: Readonly<Record<string, string>>): string | undefined =>
  listings
    .flatMap(({ route, entries }) => entries.filter(e => e.sourceId === chosen[route.provider.id]))
    .find(entry => entry.name !== '')?.name

/** Whether each id of the table still means what it meant. */
const check: Action = async (context, _args, options) => {
  const listings = await askListings(context, providersOf(options))
  const faults = listings.flatMap(({ route, entries, why }) =>
    why === null ? faultsOf(route.provider, entries, context.config.ownAssets) : [],
  )
  const asked = listings.filter(l => l.why === null).map(l => l.route.provider.id)
  const lines = [...faults, ...sayUnlisted(listings)]
  const told = `every id is as it was at ${asked.join(', ') || 'nobody'}`
  const json = { checked: asked, faults, ...unlisted(listings) }
  if (faults.length === 0 && asked.length > 0) return done([told, ...lines].join('\n'), json)
  const reason = faults.length > 0 ? faults.join('; ') : 'no provider gave its list'
  return {
    ...(fromOutcome('failed', reason, json) satisfies Result),
    text: lines.join('\n') || reason,
    isReport: true,
  }
}

const providersOf = (options: Options): readonly string[] | undefined =>
  options['provider'] === undefined ? undefined : [providerNamed(String(options['provider']), 'CRY_USAGE').id]

function wholeOf(value: unknown): number {
  const number = Number(value)
  return Number.isInteger(number) && number > 0 ? number : usage('--top takes a whole number from 1')
}

const collectIds = (pair: string, before: readonly string[] = []): readonly string[] => [...before, pair]
const providerOption = [
  '--provider <id>',
  'this provider alone; else every enabled one that has a list',
] as const

export const define: Define = (program, act) => {
  const command = program.command('assets').description('the asset table: which ids stand for which asset')
  command
    .command('list', { isDefault: true })
    .description('the assets that can be collected')
    .action(act(list, undefined, { showsProblems: true }))
  command
    .command('find')
    .description('who lists a symbol, under which id; or the largest that the table does not have')
    .argument('[symbol]', 'such as BTC; a dozen assets may share it')
    .option('--top <n>', 'new listings: the n largest by market cap that are not in the table')
    .option(...providerOption)
    .option(...sourceOption)
    .action(act(find, withSource))
  command
    .command('add')
    .description('add an asset, by ids that the providers list')
    .argument('<id>', 'a name of yours, such as pepe')
    .option('--symbol <symbol>', 'what the providers call it; the name in capitals without a word')
    .option('--name <name>', 'for display')
    .option('--id <provider=id>', 'its stable id there; may be given several times', collectIds)
    .option(...sourceOption)
    .action(act(add, withSource))
  command
    .command('check')
    .description("compares the table with the providers' own lists")
    .option(...providerOption)
    .option(...sourceOption)
    .action(act(check, withSource))
}
