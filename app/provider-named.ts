import { CryptosError, type ErrorCode } from '../core/errors.ts'
import type { Provider } from '../collectors/provider.ts'
import { providerById, providers } from '../collectors/registry.ts'
import { suggest } from './config/suggest.ts'

/** @throws CryptosError with this code, and a suggestion, where no provider has that name */
export function providerNamed(name: string, code: ErrorCode): Provider {
  const provider = providerById(name)
  if (provider) return provider
  const names = providers.map(p => p.id as string)
  const sentence = `"${name.slice(0, 60)}" is not a provider${suggest(name, names)} (there are ${names.join(', ')})`
  throw new CryptosError(code, sentence)
}
