import type { EpochMicros } from '../../core/brands.ts'
import { CryptosError } from '../../core/errors.ts'
import { DAY, parseIso, toIso } from '../../core/time.ts'
import { datasetsOf } from '../../collectors/poll-types.ts'
import type { Dataset, TimeRange } from '../../collectors/provider.ts'
import { toIsoMicros } from '../../dashboards/web/times.ts'
import { periodStartOf } from '../../quota/pages.ts'
import { backfill, backfillPages, type BackfillPlan, offeredDays } from '../backfill.ts'
import { type Collecting, openCollecting } from '../collecting.ts'
import { openCommandSource } from '../command-source.ts'
import { providerNamed } from '../provider-named.ts'
import { fromOutcome, type Result } from '../result.ts'
import { type Route, sayOff, whyOff } from '../routes.ts'
import { currencyFor, wantedAssets } from '../wanted.ts'
import { costJson, costOf, tellCost } from './backfill-cost.ts'
import type { Action, Context, Define } from './command.ts'

type Options = Readonly<Record<string, unknown>>

const refuse = (sentence: string): never => {
  throw new CryptosError('CRY_USAGE', sentence)
}

const run: Action = async (context, [name = ''], options) => {
  const source = await openCommandSource(context)
  try {
    const provider = providerNamed(name, 'CRY_USAGE')
    const off = whyOff(provider, context.config, source)
    if (off) return fromOutcome('source-disabled', sayOff(provider, off), { provider: name })
    const collecting = await openCollecting(context, source, [name])
    try {
      const plan = planOf(context, collecting, options)
      return await runPlan(context, collecting, plan, options)
    } finally {
      await collecting.close()
    }
  } finally {
    await source.close()
  }
}

async function runPlan(
  context: Context,
  collecting: Collecting,
  plan: BackfillPlan,
  options: Options,
): Promise<Result> {
  const isDry = options['dryRun'] === true
  const mustBeThere = options['requireCredits'] === true
  if (!isDry && !mustBeThere) return await ask(context, collecting, plan)
  const cost = await costOf(context, collecting, plan)
  if (mustBeThere && cost.shortage)
    return fromOutcome(cost.shortage.outcome, cost.shortage.reason, costJson(cost, plan))
  return isDry ? tellCost(cost, plan) : await ask(context, collecting, plan)
}

function planOf(context: Context, { routes }: Collecting, options: Options): BackfillPlan {
  const [opened] = routes
  if (!opened) throw new CryptosError('CRY_INTERNAL', 'the provider has no route')
  const { config } = context
  const dataset = historyOf(opened)
  const range = rangeOf(context, dataset, opened, options)
  const currency = currencyFor(opened.provider, config.currency)
  if (currency === undefined)
    return refuse(`--currency: ${opened.provider.title} has no prices in ${config.currency}`)
  const refs = wantedAssets(opened, dataset, config)
  if (refs.length === 0) return refuse(`--assets: ${opened.provider.title} has none of them`)
  const origin = opened.poll.origin === 'live' ? 'backfill' : opened.poll.origin
  const route = { ...opened, poll: { ...opened.poll, origin } } as const
  return { route, dataset, pages: backfillPages(dataset, refs, currency, range) }
}

function historyOf({ provider, poll }: Route): Dataset {
  const found = datasetsOf(poll).find(dataset => dataset.kind === 'history')
  if (found) return found
  const withKey = provider.datasets.some(d => d.kind === 'history' && d.access === 'keyed')
  return refuse(
    withKey
      ? `${provider.title} gives past prices with a key only: set ${provider.keyName ?? 'one'}`
      : `${provider.title} gives no past prices`,
  )
}

/** Whole UTC days that the provider has. */
function rangeOf({ clock }: Context, { history }: Dataset, { provider }: Route, options: Options): TimeRange {
  const from = timeOf(options, 'from')
  if (!history) throw new CryptosError('CRY_INTERNAL', 'a history without its shape')
  const { first, end } = offeredDays(history, clock.now())
  const to = options['to'] === undefined ? end : timeOf(options, 'to')
  if (to > end)
    return refuse(
      `--to: only days that are over, and that ${provider.title} has by now, can be asked for: at most ${toIso(end)}`,
    )
  const last = options['to'] === undefined ? `the end of the days that ${provider.title} has by now,` : '--to'
  if (from >= to) return refuse(`--from ${toIso(from)} is not before ${last} ${toIso(to)}`)
  if (first !== null && from < first)
    return refuse(`--from: ${provider.title} goes back to ${toIso(first)} only`)
  return { from, to }
}

function timeOf(options: Options, name: 'from' | 'to'): EpochMicros {
  const text = String(options[name])
  try {
    return periodStartOf(parseIso(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text), DAY)
  } catch (cause) {
    const sentence = `--${name}: "${text.slice(0, 40)}" is not a day such as 2026-01-31`
    throw new CryptosError('CRY_USAGE', sentence, { cause })
  }
}

async function ask(context: Context, { ports }: Collecting, plan: BackfillPlan): Promise<Result> {
  let asked = 0
  const result = await backfill(ports, plan, context.signal, (page, { outcome, reason }) => {
    asked += 1
    const from = page.range === undefined ? '' : toIso(page.range.from).slice(0, 10)
    const who = page.assets.map(ref => ref.asset).join(',')
    context.note(`${asked}/${plan.pages.length} ${who} from ${from}: ${outcome} (${reason})`)
  })
  const { outcome, reason, retryAt, ...rest } = result
  const more = {
    provider: plan.route.provider.id,
    dataset: plan.dataset.id,
    calls: plan.pages.length,
    ...rest,
  }
  return fromOutcome(outcome, reason, {
    ...more,
    ...(retryAt === undefined ? {} : { retryAt: toIsoMicros(retryAt) }),
  })
}

export const define: Define = (program, act) => {
  program
    .command('backfill')
    .description('past prices of whole days, within the quota; run it again to go on')
    .argument('<provider>', 'one that has a history (cryptos providers lists them)')
    .requiredOption('--from <day>', 'first day in UTC, such as 2026-01-01')
    .option('--to <day>', 'first day that is not asked for; the newest that is over without a word')
    .option('--assets <list>', 'assets, by id or symbol, separated by commas')
    .option('--currency <code>', 'currency of the prices')
    .option('--dry-run', 'show the calls and what they cost; send nothing')
    .option(
      '--require-credits',
      'begin only when the credits are there, after the reserve; else exit code 99 with the reason, and nothing is sent',
    )
    .option('--source <live|sandbox>', 'where the data come from')
    .action(act(run, o => ({ source: o['source'], assets: o['assets'], currency: o['currency'] })))
}
