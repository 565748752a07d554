import type { EpochMicros } from '../../core/brands.ts'
import { CryptosError } from '../../core/errors.ts'
import { addMs, MINUTE, parseIso, toIso } from '../../core/time.ts'
import { costMaxOf } from '../../collectors/poll-types.ts'
import { type CollectOptions, collectOnce, openCollecting } from '../collecting.ts'
import { exitCodeOf } from '../../core/outcomes.ts'
import { toIsoMicros } from '../../dashboards/web/times.ts'
import { done, fromOutcome, type Result } from '../result.ts'
import { openCommandSource } from '../command-source.ts'
import { count } from '../plural.ts'
import { rememberFirstSource, type Source } from '../source.ts'
import { periodStartOf } from '../../quota/pages.ts'
import { defaultConstants } from '../../quota/policy/constants.ts'
import { providerNamed } from '../provider-named.ts'
import { pagesFor, datasetsFor } from '../wanted.ts'
import { type SweepResult, worstOf } from '../sweep.ts'
import type { Action, Context, Define } from './command.ts'

/** `collect` ends within 3 s of a signal: an answer that is not there by then is settled as unknown. */
const run: Action = async (context, [name = ''], options) => {
  const source = await openCommandSource(context)
  try {
    if (options['dryRun'] === true) return await dryRun(context, source, name)
    const how = howOf(options)
    refuseFuture(how.period, name, context)
    const dataset = datasetOption(name, options['dataset'])
    const results = await collectOnce(...collectingOf(context, source, name, { ...how, ...dataset }))
    const first = worstOf(results)
    if (!first) throw new CryptosError('CRY_CONFIG_INVALID', `CRYPTOS_DATASETS names no dataset of ${name}`)
    if (exitCodeOf(first.outcome) === 0) rememberFirstSource(context.config, source.kind)
    return toResult({ ...first, ...retryOf(first, context) }, results, source)
  } finally {
    await source.close()
  }
}

type Options = Readonly<Record<string, unknown>>

/** Which slots are asked for, and whether the planner is. @throws CryptosError CRY_USAGE */
function howOf(options: Options): Pick<CollectOptions, 'period' | 'ifDue' | 'run'> {
  const { now, slot, run: id, ifDue } = options
  if (now === true && ifDue === true)
    throw new CryptosError('CRY_USAGE', '--now is for not asking whether it is due: leave out --if-due')
  if (id !== undefined && slot === undefined)
    throw new CryptosError('CRY_USAGE', '--run names a run of a slot: give the slot too, by --slot')
  return {
    ...periodOf(options),
    ...(ifDue === true ? { ifDue } : {}),
    ...(id === undefined ? {} : { run: runOf(String(id)) }),
  }
}

function runOf(id: string): string {
  if (/^[^\p{Cc}\p{Cs}\u2028\u2029]{1,250}$/u.test(id)) return id
  throw new CryptosError('CRY_USAGE', '--run takes 1 to 250 characters, none of them a control character')
}

function periodOf({ now, slot }: Options): { period?: EpochMicros | 'now' } {
  if (now === true && slot !== undefined)
    throw new CryptosError('CRY_USAGE', '--now and --slot name two slots: give one')
  if (now === true) return { period: 'now' }
  if (slot === undefined) return {}
  try {
    return { period: parseIso(String(slot)) }
  } catch (cause) {
    throw new CryptosError(
      'CRY_USAGE',
      `--slot: "${String(slot).slice(0, 60)}" is not a time such as 2026-11-21T12:00:00Z`,
      { cause },
    )
  }
}

/** A period that has not begun has nothing to ask for. The scheduler's clock may be ahead of ours by a little. @throws CryptosError CRY_USAGE */
function refuseFuture(period: EpochMicros | 'now' | undefined, name: string, { clock }: Context): void {
  if (period === undefined || period === 'now') return
  const latest = addMs(clock.now(), defaultConstants.skewMs)
  for (const { id, refreshMs } of providerNamed(name, 'CRY_CONFIG_INVALID').datasets) {
    const begins = periodStartOf(period, refreshMs)
    if (begins > latest)
      throw new CryptosError(
        'CRY_USAGE',
        `--slot: the period of ${name}/${id} that begins at ${toIso(begins)} is still to come`,
      )
  }
}

/** With `--dataset` that one alone. @throws CryptosError CRY_USAGE for one that the provider does not have */
function datasetOption(name: string, dataset: unknown): Pick<CollectOptions, 'dataset'> {
  if (dataset === undefined) return {}
  const { title, datasets } = providerNamed(name, 'CRY_CONFIG_INVALID')
  const known = datasets.filter(d => d.kind !== 'history').map(d => d.id)
  if (!known.includes(String(dataset)))
    throw new CryptosError(
      'CRY_USAGE',
      `--dataset: ${title} has no dataset ${String(dataset).slice(0, 40)} to collect (it has ${known.join(', ')}; past prices come by cryptos backfill)`,
    )
  return { dataset: String(dataset) }
}

/** Without `--if-due` the option is a wish of its own; with it the settings say what is wanted, and how all share the credits. */
function collectingOf(
  context: Context,
  source: Source,
  name: string,
  { dataset, ...how }: CollectOptions,
): Parameters<typeof collectOnce> {
  const options = { names: [name], ...how }
  if (dataset === undefined) return [context, source, options]
  if (how.ifDue === true) return [context, source, { ...options, dataset }]
  const config = { ...context.config, datasets: [`${name}/${dataset}`] }
  return [{ ...context, config }, source, { ...options, dataset }]
}

/** Worth a retry: then also from when on. The planner keeps the same distance after a failure. */
function retryOf({ provider, outcome, retryAt }: SweepResult, { clock }: Context): { retryAt?: EpochMicros } {
  const dataset = providerNamed(provider, 'CRY_CONFIG_INVALID').datasets[0]
  if (exitCodeOf(outcome) !== 1 || retryAt !== undefined || !dataset) return {}
  return { retryAt: addMs(clock.now(), Math.max(dataset.refreshMs, Math.min(MINUTE, dataset.intervalMs))) }
}

function toResult(sweep: SweepResult, all: readonly SweepResult[], source: Source): Result {
  const { outcome, retryAt, code } = sweep
  const pages = all.flatMap(one => one.pages)
  const reason = all.length === 1 ? sweep.reason : all.map(one => `${one.dataset}: ${one.reason}`).join('; ')
  const sum = (of: 'credits' | 'records'): number => pages.reduce((total, page) => total + page[of], 0)
  const more = {
    provider: sweep.provider,
    dataset: sweep.dataset,
    origin: source.origin,
    credits: sum('credits'),
    records: sum('records'),
    ...(all.length === 1 ? {} : { datasets: all.map(({ dataset, outcome }) => ({ dataset, outcome })) }),
    slots: all.flatMap(slotsOf),
    ...(retryAt === undefined ? {} : { retryAt: toIsoMicros(retryAt) }),
  }
  return fromOutcome(outcome, reason, more, code)
}

/** Each page with its run; a sweep that ended before any with the one that was noted for it. */
const slotsOf = ({ pages, run, outcome }: SweepResult) =>
  [...pages, ...(run === undefined ? [] : [{ ...run, outcome }])].map(p => ({
    ...{ slot: p.slot, outcome: p.outcome, runId: p.runId },
  }))

/** What a sweep would ask and cost; calls nobody and reserves nothing. */
async function dryRun(context: Context, source: Source, name: string): Promise<Result> {
  const collecting = await openCollecting(context, source, [name])
  try {
    const plan = collecting.routes.flatMap(route =>
      datasetsFor(route, context.config).map(dataset => {
        const asked = pagesFor(route, dataset, context.config)
        const pages = 'none' in asked ? [] : asked
        const requests = pages.map(
          page =>
            `${route.poll.access.baseUrl}${dataset.request(page).path}?${new URLSearchParams(dataset.request(page).query)}`,
        )
        return {
          dataset: dataset.id,
          requests,
          credits: pages.reduce((total, page) => total + costMaxOf({ source: route.poll, dataset, page }), 0),
        }
      }),
    )
    const text = plan.map(
      p =>
        `${p.dataset}: ${count(p.requests.length, 'call')}, ${count(p.credits, 'credit')}\n${p.requests.map(r => `  GET ${r}`).join('\n')}`,
    )
    return done(`${text.join('\n')}\nNothing was sent.`, { provider: name, plan })
  } finally {
    await collecting.close()
  }
}

export const define: Define = (program, act) => {
  program
    .command('collect')
    .description('one sweep of a provider now, within the quota')
    .argument('<provider>', 'such as coinmarketcap, kraken or coinbase (cryptos providers lists them)')
    .option('--dataset <id>', 'this dataset alone; without it those of CRYPTOS_DATASETS')
    .option('--slot <time>', 'the slot that a scheduler names: asked at most once, whoever asks')
    .option(
      '--if-due',
      'ask the planner too: a slot that is not due, or not wanted by CRYPTOS_DATASETS, is skipped',
    )
    .option(
      '--run <id>',
      'with --slot, for a run by hand: slots of its own, so that no tick has answered them',
    )
    .option('--spender <name/run>', 'for whom: kept with the run, and summed by the part before the first /')
    .option('--now', 'the current slot, without asking the planner whether it is due')
    .option('--dry-run', 'show the requests and what they cost; send nothing')
    .option('--source <live|sandbox>', 'where the data come from')
    .option('--assets <list>', 'assets, by id or symbol, separated by commas')
    .action(act(run, o => ({ source: o['source'], assets: o['assets'], spender: o['spender'] })))
}
