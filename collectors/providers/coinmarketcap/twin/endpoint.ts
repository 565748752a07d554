import type { EpochMicros } from '../../../../core/brands.ts'
import type { Json } from '../../../../sandbox/json.ts'
import type { ServedValue } from '../../../../sandbox/types.ts'
import { BadRequest } from './errors.ts'
import type { EnvelopeVariant } from './envelope.ts'
import type { Account } from './account.ts'
import type { Market } from './market.ts'
import { currencies } from './currencies.ts'
import type { ConvertCurrency } from './currencies.ts'

/** What an endpoint works with. */
export interface Context {
  readonly at: EpochMicros
  readonly query: URLSearchParams
  readonly market: Market
  readonly account: Account
}

export interface Answer {
  readonly data: Json
  readonly credits: number
  readonly values: readonly ServedValue[]
  /** `status.total_count`, where the endpoint has one. */
  readonly total?: number
}

export interface Endpoint {
  readonly path: string
  readonly variant: EnvelopeVariant
  readonly statusFirst?: boolean
  readonly keyless: boolean
  /** Answered even when the credits are used up. */
  readonly account?: boolean
  /** @throws BadRequest */
  run(context: Context): Answer
}

/** CoinMarketCap's price rule: one credit per started `perCredit` coins or points, and one for each currency beyond the first. */
export const costOf = (returned: number, perCredit: number, convertCount: number): number =>
  Math.ceil(Math.max(1, returned) / perCredit) + convertCount - 1

/** The comma-separated values of a parameter. */
export function listParameter(query: URLSearchParams, name: string): readonly string[] {
  const text = query.get(name)
  if (text === null) return []
  const items = text.split(',').map(item => item.trim())
  if (items.includes('')) throw new BadRequest(`Invalid value for "${name}"`)
  return [...new Set(items)]
}

/** `convert` or `convert_id`; USD where neither is given. */
export function convertsOf(query: URLSearchParams): readonly ConvertCurrency[] {
  const [ids, symbols] = [listParameter(query, 'convert_id'), listParameter(query, 'convert')]
  if (ids.length > 0 && symbols.length > 0)
    throw new BadRequest('"convert" conflict with forbidden peer "convert_id"')
  const byId = ids.map(id =>
    find(
      'convert_id',
      id,
      currencies.find(c => String(c.id) === id),
    ),
  )
  const wanted = symbols.length === 0 && ids.length === 0 ? ['USD'] : symbols
  return [
    ...byId,
    ...wanted.map(s =>
      find(
        'convert',
        s,
        currencies.find(c => c.symbol === s.toUpperCase()),
      ),
    ),
  ]
}

function find(name: string, asked: string, found: ConvertCurrency | undefined): ConvertCurrency {
  if (!found) throw new BadRequest(`Invalid value for "${name}": "${asked}"`)
  return found
}

/** A whole number of a range. */
export function countParameter(query: URLSearchParams, name: string, fallback: number, max: number): number {
  const text = query.get(name)
  if (text === null) return fallback
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < 1 || value > max)
    throw new BadRequest(`Invalid value for "${name}": "${text}"`)
  return value
}

/** `true` or `false`. */
export function flagParameter(query: URLSearchParams, name: string, fallback: boolean): boolean {
  const text = query.get(name)
  if (text === null) return fallback
  if (text !== 'true' && text !== 'false') throw new BadRequest(`"${name}" must be a boolean`)
  return text === 'true'
}
