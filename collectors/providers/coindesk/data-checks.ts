import { refusePayload } from '../../check.ts'
import type { JsonObject } from '../../json.ts'

/** CoinDesk's own volume-weighted index, the one of its examples. */
export const market = 'cadli'

/** A member that says what a row is about. */
interface Expected {
  readonly wanted: string
  readonly path: string
  readonly optional?: boolean
}

/** @throws CryptosError CRY_PROVIDER_PAYLOAD where the member says something else, or nothing though it has to */
export function expectText(row: JsonObject, name: string, { wanted, path, optional }: Expected): void {
  const value = row.get(name)
  if (value !== wanted && !(optional && value === undefined))
    refusePayload(`${path}.${name}`, `the text "${wanted}"`, value)
}

/** Runs what may throw; the error is the answer then. */
export function refused<T>(read: () => T): T | Error {
  try {
    return read()
  } catch (error) {
    if (error instanceof Error) return error
    throw error
  }
}
