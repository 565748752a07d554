import { CryptosError } from '../../core/errors.ts'
import type { Ledger, ScopeStatus, WindowStatus } from '../../core/ports/ledger.ts'
import { toIso } from '../../core/time.ts'
import { type Collecting, openCollecting } from '../collecting.ts'
import { providerNamed } from '../provider-named.ts'
import { openCommandSource } from '../command-source.ts'
import { parseDuration } from '../duration.ts'
import { done, fromOutcome, type Result } from '../result.ts'
import { routesOf } from '../routes.ts'
import { settledSource } from '../settled-source.ts'
import { openLedger } from '../stores.ts'
import { using } from '../using.ts'
import { planLimits, plans } from '../../quota/plans.ts'
import { whatIf } from '../../quota/what-if.ts'
import { reconcileUsage } from '../../collectors/usage.ts'
import type { Action, Context, Define } from './command.ts'

const withLedger = async <T>(context: Context, work: (ledger: Ledger) => Promise<T>): Promise<T> =>
  using(await openLedger(context.config, settledSource(context.config), context.clock), work)

const number = (value: number): string => value.toLocaleString('en-US')

function windowLine(w: WindowStatus): string {
  const of = w.limit === null ? 'no limit' : `of ${number(w.limit)}, ${number(w.left ?? 0)} left`
  return `  ${w.window.padEnd(6)} used ${number(w.used)}, reserved ${number(w.reserved)}, ${of}; resets at ${toIso(w.resetsAt)}`
}

/** One scope for people. */
export function scopeText(scope: ScopeStatus): string {
  const head = `${scope.provider} ${scope.scope} (plan ${scope.plan})${scope.frozen === null ? '' : ` FROZEN: ${scope.frozen}`}`
  const runsOut =
    scope.runsOutAt === null
      ? '  at this pace it lasts until the reset'
      : `  at this pace it runs out at ${toIso(scope.runsOutAt)}`
  const reconciled =
    scope.lastReconciledAt === null
      ? []
      : [
          `  the provider's own figure was read at ${toIso(scope.lastReconciledAt)}, drift ${scope.drift ?? 0}`,
        ]
  return [head, ...scope.windows.map(windowLine), runsOut, ...reconciled].join('\n')
}

const status: Action = context =>
  withLedger(context, async ledger => {
    const scopes = await ledger.status(context.clock.now())
    const text = scopes.length === 0 ? 'No key or host has been used yet.' : scopes.map(scopeText).join('\n')
    return done(text, { scopes })
  })

const history: Action = (context, _args, options) =>
  withLedger(context, async ledger => {
    const limit = Number(options['limit'] ?? 20)
    if (!Number.isInteger(limit) || limit < 1 || limit > 10_000)
      throw new CryptosError('CRY_USAGE', '--limit takes a whole number from 1 to 10000')
    const events = await ledger.events({ limit })
    const text = events.map(
      e =>
        `${toIso(e.at)} #${e.sequence} ${e.provider} ${e.what}${e.credits ? ` ${e.credits}` : ''}: ${e.why}`,
    )
    return done(text.join('\n') || 'Nothing has happened yet.', { events })
  })

const freeze: Action = (context, _args, options) =>
  withLedger(context, async ledger => {
    const scope = (options['scope'] as string | undefined) ?? null
    const reason = String(options['reason'] ?? 'by an operator')
    // A key that was never used has no view yet that could say so.
    const { config, clock } = context
    for (const route of routesOf(config, settledSource(config)))
      await ledger.openScope(route.scope, clock.now())
    await ledger.freeze(scope, reason, context.clock.now())
    return done(`Spending is frozen ${scope ?? 'everywhere'}: ${reason}. cryptos quota unfreeze ends it.`, {
      frozen: scope ?? 'all',
      reason,
    })
  })

const unfreeze: Action = (context, _args, options) =>
  withLedger(context, async ledger => {
    const scope = (options['scope'] as string | undefined) ?? null
    await ledger.unfreeze(scope, context.clock.now())
    return done(`Spending goes on ${scope ?? 'everywhere'}.`, { unfrozen: scope ?? 'all' })
  })

const ask: Action = async (_context, _args, options) => {
  const assets = Number(options['assets'])
  if (!Number.isInteger(assets) || assets < 1)
    throw new CryptosError('CRY_USAGE', '--assets takes a whole number from 1')
  const intervalMs = parseDuration(String(options['every']), '--every')
  const provider = providerNamed(String(options['provider']), 'CRY_USAGE')
  const dataset = provider.datasets[0]
  if (!dataset) throw new CryptosError('CRY_USAGE', `${provider.title} has no dataset`)
  const known = Object.keys(plans).filter(plan => plan.startsWith(`${provider.id}/`))
  const plan = options['plan'] === undefined ? known[0] : `${provider.id}/${String(options['plan'])}`
  if (plan === undefined || !known.includes(plan)) {
    const names = known.map(name => name.split('/')[1])
    throw new CryptosError(
      'CRY_USAGE',
      `--plan: ${provider.title} has no such plan (there are ${names.join(', ')})`,
    )
  }
  const { pageSize, refreshMs } = dataset
  const limits = planLimits(plan)
  const isBilled = limits.creditsPerMonth !== null || limits.creditsPerDay !== null
  const answer = whatIf({ limits, assets, pageSize, creditsPerPage: isBilled ? 1 : 0, intervalMs, refreshMs })
  return done(answer.sentence, { ...answer })
}

const reconcile: Action = async context => {
  const source = await openCommandSource(context)
  try {
    return await using(await openCollecting(context, source), collecting => reconcileAll(context, collecting))
  } finally {
    await source.close()
  }
}

async function reconcileAll(context: Context, { routes, ledger, ports }: Collecting): Promise<Result> {
  const withUsage = routes.filter(r => r.scope.hasUsage)
  if (withUsage.length === 0)
    return fromOutcome('source-disabled', 'no provider with a usage endpoint and a key is set')
  for (const route of withUsage) {
    const result = await reconcileUsage(ports, route.poll, context.signal)
    if (result.kind === 'denied') return fromOutcome(result.outcome, result.reason)
    if (result.kind === 'failed')
      return fromOutcome(result.unauthorized ? 'unauthorized' : 'provider-error', result.reason)
  }
  const scopes = (await ledger.status(context.clock.now())).filter(s =>
    withUsage.some(r => r.scope.scope === s.scope),
  )
  return done(scopes.map(scopeText).join('\n'), { scopes })
}

export const define: Define = (program, act) => {
  const quota = program.command('quota').description('what each key has used, has left, and may do')
  quota
    .command('status', { isDefault: true })
    .description('used, reserved, left, resets at, runs out when')
    .action(act(status))
  quota
    .command('what-if')
    .description('whether a plan can carry a wish, and the best interval that it can')
    .requiredOption('--assets <n>', 'how many assets')
    .requiredOption('--every <duration>', 'how often, such as 60s')
    .option('--provider <id>', 'provider', 'coinmarketcap')
    .option('--plan <name>', "plan; the provider's newest free one by default")
    .action(act(ask))
  quota
    .command('reconcile')
    .description('ask the provider for its own figure and adopt it (0 credits, 1 call)')
    .action(act(reconcile))
  quota
    .command('history')
    .description('what happened, newest first')
    .option('--limit <n>', 'how many events', '20')
    .action(act(history))
  quota
    .command('freeze')
    .description('stop all spending at once')
    .option('--scope <scope>', 'only this key or host')
    .option('--reason <text>', 'shown in every view')
    .action(act(freeze))
  quota
    .command('unfreeze')
    .description('end a freeze')
    .option('--scope <scope>', 'only this key or host')
    .action(act(unfreeze))
}
