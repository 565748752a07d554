import type { EpochMicros } from '../../core/brands.ts'
import { CryptosError } from '../../core/errors.ts'
import type { Ledger } from '../../core/ports/ledger.ts'
import { suggest } from '../config/suggest.ts'

/**
 * The scopes that a person means: all (null) without a word, else one by its full name, all of a provider, or all of a host.
 * @throws CryptosError CRY_USAGE, with what there is
 */
export async function scopesNamed(
  ledger: Ledger,
  given: unknown,
  now: EpochMicros,
): Promise<readonly (string | null)[]> {
  if (given === undefined) return [null]
  const name = String(given)
  const known = await ledger.status(now)
  const meant = known.filter(s => [s.scope, s.provider as string].includes(name) || s.scope === `ip:${name}`)
  if (meant.length > 0) return meant.map(s => s.scope)
  const names = [...new Set(known.flatMap(s => [s.provider, s.scope]))]
  const there = names.length === 0 ? 'nothing has been used yet' : `there are ${names.join(', ')}`
  throw new CryptosError(
    'CRY_USAGE',
    `--scope: ${name.slice(0, 80)} is not in the ledger${names.length === 0 ? '' : suggest(name, names)} (${there})`,
  )
}
