import { CryptosError } from '../core/errors.ts'
import { isStoreName, type StoreName, storeNames } from './config/parts.ts'
import { suggest } from './config/suggest.ts'

/** A store by its name on the command line. @throws CryptosError CRY_USAGE for one that there is not */
export function storeNamed(name: string): StoreName {
  if (isStoreName(name)) return name
  throw new CryptosError(
    'CRY_USAGE',
    `--sink: "${name.slice(0, 40)}" is no store${suggest(name, storeNames)} (there are ${storeNames.join(', ')})`,
  )
}
