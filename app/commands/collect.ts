import type { EpochMicros } from '../../core/brands.ts'
import { CryptosError } from '../../core/errors.ts'
import { addMs, MINUTE, parseIso, toIso } from '../../core/time.ts'
import { collectOnce, openCollecting } from '../collecting.ts'
import { exitCodeOf } from '../../core/outcomes.ts'
import { toIsoMicros } from '../../dashboards/web/times.ts'
import { done, fromOutcome, type Result } from '../result.ts'
import { openCommandSource } from '../command-source.ts'
import { count } from '../plural.ts'
import { rememberFirstSource, type Source } from '../source.ts'
import { pagesOf } from '../../collectors/assets.ts'
import { periodStartOf } from '../../quota/pages.ts'
import { defaultConstants } from '../../quota/policy/constants.ts'
import { providerNamed } from '../provider-named.ts'
import { type SweepResult, wantedAssets } from '../sweep.ts'
import type { Action, Context, Define } from './command.ts'

/** `collect` ends within 3 s of a signal: an answer that is not there by then is settled as unknown. */
const run: Action = async (context, [name = ''], options) => {
  const source = await openCommandSource(context)
  try {
    if (options['dryRun'] === true) return await dryRun(context, source, name)
    const period = periodOf(options)
    refuseFuture(period.period, name, context)
    const results = await collectOnce(context, source, { names: [name], ...period })
    const first = results[0]
    if (!first) throw new CryptosError('CRY_INTERNAL', `${name} has no dataset`)
    if (exitCodeOf(first.outcome) === 0) rememberFirstSource(context.config, source.kind)
    return toResult({ ...first, ...retryOf(first, context) }, source)
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

/** Worth a retry: then also from when on. The planner keeps the same distance after a failure. */
function retryOf({ provider, outcome, retryAt }: SweepResult, { clock }: Context): { retryAt?: EpochMicros } {
  const dataset = providerNamed(provider, 'CRY_CONFIG_INVALID').datasets[0]
  if (exitCodeOf(outcome) !== 1 || retryAt !== undefined || !dataset) return {}
  return { retryAt: addMs(clock.now(), Math.max(dataset.refreshMs, Math.min(MINUTE, dataset.intervalMs))) }
}

function toResult(sweep: SweepResult, source: Source): Result {
  const { outcome, reason, retryAt, code, pages } = sweep
  const sum = (of: 'credits' | 'records'): number => pages.reduce((total, page) => total + page[of], 0)
  const more = {
    provider: sweep.provider,
    dataset: sweep.dataset,
    origin: source.origin,
    credits: sum('credits'),
    records: sum('records'),
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
      route.provider.datasets.map(dataset => {
        const pages = pagesOf(dataset, wantedAssets(route, context.config), context.config.currency)
        const requests = pages.map(
          page =>
            `${route.poll.access.baseUrl}${dataset.request(page).path}?${new URLSearchParams(dataset.request(page).query)}`,
        )
        return {
          dataset: dataset.id,
          requests,
          credits: pages.reduce((total, page) => total + dataset.costMax(page), 0),
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
    .argument('<provider>', 'such as coinmarketcap, kraken or coinbase')
    .option('--slot <time>', 'the slot that a scheduler names: asked at most once, whoever asks')
    .option('--now', 'the current slot, without asking the planner whether it is due')
    .option('--dry-run', 'show the requests and what they cost; send nothing')
    .option('--source <live|sandbox>', 'where the data come from')
    .option('--assets <list>', 'assets, by id or symbol, separated by commas')
    .action(act(run, o => ({ source: o['source'], assets: o['assets'] })))
}
