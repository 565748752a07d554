import { datasetsBy } from '../collectors/poll-types.ts'
import { providers } from '../collectors/registry.ts'
import type { Provider } from '../collectors/provider.ts'
import type { SourceView } from '../core/ports/reader.ts'
import type { Config } from './config/load.ts'
import { sayOff, whyOff } from './routes.ts'
import type { Source } from './source.ts'
import { currencyFor } from './wanted.ts'

/** Every provider that this version knows, with what is collected from it, or the reason why nothing is. */
export const sourceViews = (config: Config, source: Pick<Source, 'kind'>): readonly SourceView[] =>
  providers.map(provider => viewOf(provider, config, source))

function viewOf(provider: Provider, config: Config, source: Pick<Source, 'kind'>): SourceView {
  const hasKey = source.kind === 'sandbox' || config.secrets[provider.id] !== undefined
  const access = provider.keyed && hasKey ? 'keyed' : 'keyless'
  const off = whyOff(provider, config, source)
  const why = off === null ? whyNot(provider, config, access) : sayOff(provider, off)
  return {
    provider: provider.id,
    title: provider.title,
    doc: provider.doc,
    isOn: why === null,
    why,
    offSince: off?.since ?? null,
    access: provider[access] === undefined ? 'none' : access,
    currency: currencyFor(provider, config.currency) ?? null,
    datasets: datasetsBy(provider, access).map(d => d.id),
    attribution: provider.attribution ?? null,
  }
}

function whyNot(provider: Provider, config: Config, access: 'keyed' | 'keyless'): string | null {
  const { title, keyName, currencies } = provider
  if (!config.providers.includes(provider.id)) return 'not on the list of CRYPTOS_PROVIDERS'
  if (provider[access] === undefined)
    return `${title} needs a key: set ${keyName ?? 'one'} or ${keyName}_FILE`
  if (currencyFor(provider, config.currency) === undefined)
    return `${title} gives prices in ${currencies?.join(', ') ?? ''} only, not in ${config.currency}`
  return null
}
