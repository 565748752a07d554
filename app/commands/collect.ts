import type { EpochMicros } from '../../core/brands.ts'
import { CryptosError } from '../../core/errors.ts'
import { addMs, MINUTE, parseIso, toIso } from '../../core/time.ts'
import { costMaxOf } from '../../collectors/poll-types.ts'
import { collectOnce, openCollecting } from '../collecting.ts'
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
import type { Config } from '../config/load.ts'
import type { Action, Context, Define } from './command.ts'

/** `collect` ends within 3 s of a signal: an answer that is not there by then is settled as unknown. */
const run: Action = async (context, [name = ''], options) => {
  const source = await openCommandSource(context)
  try {
    if (options['dryRun'] === true) return await dryRun(context, source, name)
    const period = periodOf(options)
    refuseFuture(period.period, name, context)
    const told = datasetOption(name, options['dataset'], context.config)
    const results = await collectOnce({ ...context, config: told }, source, { names: [name], ...period })
    const first = worstOf(results)
    if (!first) throw new CryptosError('CRY_CONFIG_INVALID', `CRYPTOS_DATASETS names no dataset of ${name}`)
    if (exitCodeOf(first.outcome) === 0) rememberFirstSource(context.config, source.kind)
    return toResult({ ...first, ...retryOf(first, context) }, results, source)
  } finally {
    await source.close()
  }
}

function periodOf(options: Readonly<Record<string, unknown>>): { period?: EpochMicros | 'now' } {
  if (options['now'] === true) return { period: 'now' }
  const slot = options['slot']
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
function datasetOption(name: string, dataset: unknown, config: Config): Config {
  if (dataset === undefined) return config
  const { title, datasets } = providerNamed(name, 'CRY_CONFIG_INVALID')
  const known = datasets.filter(d => d.kind !== 'history').map(d => d.id)
  if (!known.includes(String(dataset)))
    throw new CryptosError(
      'CRY_USAGE',
      `--dataset: ${title} has no dataset ${String(dataset).slice(0, 40)} to collect (it has ${known.join(', ')}; past prices come by cryptos backfill)`,
    )
  return { ...config, datasets: [`${name}/${String(dataset)}`] }
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
    slots: pages.map(p => ({ slot: p.slot, outcome: p.outcome, runId: p.runId })),
    ...(retryAt === undefined ? {} : { retryAt: toIsoMicros(retryAt) }),
  }
  return fromOutcome(outcome, reason, more, code)
}

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
    .option('--now', 'the current slot, without asking the planner whether it is due')
    .option('--dry-run', 'show the requests and what they cost; send nothing')
    .option('--source <live|sandbox>', 'where the data come from')
    .option('--assets <list>', 'assets, by id or symbol, separated by commas')
    .action(act(run, o => ({ source: o['source'], assets: o['assets'] })))
}
