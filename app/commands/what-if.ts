import { CryptosError } from '../../core/errors.ts'
import type { PlanLimits } from '../../core/ports/ledger.ts'
import type { Provider } from '../../collectors/provider.ts'
import { providers } from '../../collectors/registry.ts'
import { whatIf } from '../../quota/what-if.ts'
import { parseDuration } from '../duration.ts'
import { providerNamed } from '../provider-named.ts'
import { done } from '../result.ts'
import type { Action } from './command.ts'

/** Every plan that the provider's folder knows, those of a key first. */
const plansOf = ({ plans, keyless }: Provider): Readonly<Record<string, PlanLimits>> => ({
  ...plans,
  ...(keyless === undefined ? {} : { [keyless.limits.plan]: keyless.limits }),
})

const names = providers.map(p => p.id)

/** The help names what is taken, and nothing else. */
export const askOptions = {
  provider: ['--provider <id>', names.join(', '), 'coinmarketcap'],
  plan: [
    '--plan <name>',
    `${providers.map(p => `${p.id}: ${Object.keys(plansOf(p)).join(', ')}`).join('; ')} (the first of them by default)`,
  ],
} as const

/** `quota what-if`: can a plan carry the wish? Reads and calls nothing. */
export const ask: Action = async (_context, _args, options) => {
  const assets = Number(options['assets'])
  if (!Number.isInteger(assets) || assets < 1)
    throw new CryptosError('CRY_USAGE', '--assets takes a whole number from 1')
  const intervalMs = parseDuration(String(options['every']), '--every')
  if (intervalMs === 0) throw new CryptosError('CRY_USAGE', '--every takes a duration above zero')
  const provider = providerNamed(String(options['provider']), 'CRY_USAGE')
  const dataset = provider.datasets[0]
  if (!dataset) throw new CryptosError('CRY_USAGE', `${provider.title} has no dataset`)
  const plans = plansOf(provider)
  const known = Object.keys(plans)
  const plan = options['plan'] === undefined ? known[0] : String(options['plan'])
  const limits = plan === undefined || !Object.hasOwn(plans, plan) ? undefined : plans[plan]
  if (limits === undefined)
    throw new CryptosError(
      'CRY_USAGE',
      `--plan: ${provider.title} has no plan "${plan?.slice(0, 40)}" (there ${known.length === 1 ? 'is' : 'are'} ${known.join(', ')})`,
    )
  const { pageSize, refreshMs } = dataset
  const isBilled = limits.creditsPerMonth !== null || limits.creditsPerDay !== null
  const answer = whatIf({ limits, assets, pageSize, creditsPerPage: isBilled ? 1 : 0, intervalMs, refreshMs })
  return done(answer.sentence, { ...answer })
}
