import { CryptosError } from '../../core/errors.ts'
import type { Ledger } from '../../core/ports/ledger.ts'
import { viewQuotaStatus } from '../../dashboards/web/quota-view.ts'
import { viewQuota } from '../../dashboards/web/views.ts'
import { type Collecting, openCollecting } from '../collecting.ts'
import { findCommandSource } from '../command-source.ts'
import { done, fromOutcome, type Result } from '../result.ts'
import { routesOf } from '../routes.ts'
import { settledSource } from '../settled-source.ts'
import type { Source } from '../source.ts'
import { openLedger } from '../stores.ts'
import { using } from '../using.ts'
import { reconcileUsage } from '../../collectors/usage.ts'
import { type Action, type Context, type Define, sourceOption, withSource } from './command.ts'
import { eventText, scopeText, skipLines, spenderLines } from './quota-text.ts'
import { scopesNamed } from './quota-scopes.ts'
import { ask, askOptions } from './what-if.ts'

async function withLedger<T>(
  context: Context,
  work: (ledger: Ledger, source: Source) => Promise<T>,
): Promise<T> {
  const source = settledSource(context)
  return using(await openLedger(context.config, source, context.clock), ledger => work(ledger, source))
}

/** Among these the newest skips are looked for. */
const runsLookedAt = 1_000

const status: Action = context =>
  withLedger(context, async ledger => {
    const now = context.clock.now()
    const [scopes, spending, runs] = await Promise.all([
      ledger.status(now),
      ledger.spending(now),
      ledger.runs(runsLookedAt),
    ])
    const lines = scopes.map(scope => [scopeText(scope), ...spenderLines(scope, spending)].join('\n'))
    const text = lines.length === 0 ? ['No key or host has been used yet.'] : lines
    return done([...text, ...skipLines(runs)].join('\n'), {
      ...viewQuotaStatus({ scopes, spending, runs, now }),
    })
  })

const history: Action = (context, _args, options) =>
  withLedger(context, async ledger => {
    const limit = Number(options['limit'] ?? 20)
    if (!Number.isInteger(limit) || limit < 1 || limit > 10_000)
      throw new CryptosError('CRY_USAGE', '--limit takes a whole number from 1 to 10000')
    const events = await ledger.events({ limit })
    return done(events.map(eventText).join('\n') || 'Nothing has happened yet.', {
      events: viewQuota([], events).events,
    })
  })

const freeze: Action = (context, _args, options) =>
  withLedger(context, async (ledger, source) => {
    const reason = String(options['reason'] ?? 'by an operator')
    const now = context.clock.now()
    // A key that was never used has no view yet that could say so.
    for (const route of routesOf(context.config, source)) await ledger.openScope(route.scope, now)
    const frozen = await scopesNamed(ledger, options['scope'], now)
    for (const scope of frozen) await ledger.freeze(scope, reason, now)
    const sentence = `Spending is frozen ${whereOf(frozen)}: ${reason}. cryptos quota unfreeze ends it.`
    return done(sentence, { frozen: whichOf(frozen), reason })
  })

const unfreeze: Action = (context, _args, options) =>
  withLedger(context, async ledger => {
    const now = context.clock.now()
    const scopes = await scopesNamed(ledger, options['scope'], now)
    for (const scope of scopes) await ledger.unfreeze(scope, now)
    return done(`Spending goes on ${whereOf(scopes)}.`, { unfrozen: whichOf(scopes) })
  })

const whichOf = (scopes: readonly (string | null)[]): string => scopes.map(s => s ?? 'all').join(',')
const whereOf = (scopes: readonly (string | null)[]): string =>
  scopes.map(s => (s === null ? 'everywhere' : `for ${s}`)).join(', ')

const reconcile: Action = async context => {
  settledSource(context)
  const source = await findCommandSource(context)
  if (!source)
    return fromOutcome(
      'source-disabled',
      'no sandbox runs, so no meter of simulated data can be asked: start cryptos up --source sandbox, or set CRYPTOS_SANDBOX_URL',
    )
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
  return done(scopes.map(scopeText).join('\n'), { scopes: viewQuota(scopes, []).scopes })
}

export const define: Define = (program, act) => {
  const quota = program.command('quota').description('what each key has used, has left, and may do')
  quota
    .command('status', { isDefault: true })
    .description('used, reserved, left, resets at, runs out when')
    .option(...sourceOption)
    .action(act(status, withSource))
  quota
    .command('what-if')
    .description('whether a plan can carry a wish, and the best interval that it can')
    .requiredOption('--assets <n>', 'how many assets')
    .requiredOption('--every <duration>', 'how often, such as 60s')
    .option(...askOptions.provider)
    .option(...askOptions.plan)
    .action(act(ask))
  quota
    .command('reconcile')
    .description('ask the provider for its own figure and adopt it (0 credits, 1 call)')
    .option(...sourceOption)
    .action(act(reconcile, withSource))
  quota
    .command('history')
    .description('what happened, newest first')
    .option('--limit <n>', 'how many events', '20')
    .option(...sourceOption)
    .action(act(history, withSource))
  quota
    .command('freeze')
    .description('stop all spending at once')
    .option(
      '--scope <scope>',
      'only this key or host: a provider, a host, or a scope as quota status shows it',
    )
    .option('--reason <text>', 'shown in every view')
    .option(...sourceOption)
    .action(act(freeze, withSource))
  quota
    .command('unfreeze')
    .description('end a freeze, or a pause that a provider asked for')
    .option(
      '--scope <scope>',
      'only this key or host: a provider, a host, or a scope as quota status shows it',
    )
    .option(...sourceOption)
    .action(act(unfreeze, withSource))
}
