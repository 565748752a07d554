import type { EpochMicros } from '../core/brands.ts'
import { toEpochMs } from '../core/time.ts'
import { type Places, placesOf, type PricePlace } from './body-places.ts'
import { type BodyNode, parseTree, printTree } from './body-tree.ts'
import { relabelled, shifted, withoutCurrency } from './label-changes.ts'
import { priceChanges } from './price-changes.ts'
import { rowChanges } from './row-changes.ts'
import type { ServedValue } from './types.ts'

const labelChanges = ['relabelled-currency', 'missing-currency', 'shifted-clock', 'frozen-body'] as const

/** Every way in which a `change-body` fault changes a good JSON body. */
export const bodyChanges = [
  ...(Object.keys(priceChanges) as (keyof typeof priceChanges)[]),
  ...(Object.keys(rowChanges) as (keyof typeof rowChanges)[]),
  ...labelChanges,
] as const
export type BodyChange = (typeof bodyChanges)[number]

export interface ChangeSpec {
  readonly change: BodyChange
  /** All rows, in place of the first. */
  readonly all?: boolean
  readonly digits?: number
  readonly factor?: string
  readonly currency?: string
  readonly ms?: number
}

export interface ServedBody {
  readonly body: string
  readonly served: readonly ServedValue[]
}

export interface ChangeContext {
  readonly at: EpochMicros
  /** Path and query: what `frozen-body` remembers an answer by. */
  readonly url: string
  /** Of this one fault. */
  readonly memory: Map<string, string>
}

/**
 * Rewrites a good JSON body and says which prices it carries now. Digits that the change does not mean stay as they are.
 * undefined = the body has no place for this change, or says the same as before: the fault did not act.
 */
export function changeBody(
  good: ServedBody,
  spec: ChangeSpec,
  context: ChangeContext,
): ServedBody | undefined {
  if (spec.change === 'frozen-body') return frozenBody(good, context)
  const root = parsed(good.body)
  const places = root && placesOf(root, good.served)
  if (!places) return undefined
  const now = new Map<ServedValue, readonly ServedValue[]>()
  for (const place of spec.all ? places.prices : places.prices.slice(0, 1)) {
    const values = changePlace(place, places, spec, context)
    if (values) now.set(place.value, values)
  }
  if (now.size === 0) return undefined
  return { body: printTree(places.root), served: good.served.flatMap(value => now.get(value) ?? [value]) }
}

function parsed(body: string): BodyNode | undefined {
  return /^\s*[[{]/.test(body) ? parseTree(body) : undefined
}

function changePlace(
  place: PricePlace,
  places: Places,
  spec: ChangeSpec,
  { at, memory }: ChangeContext,
): readonly ServedValue[] | undefined {
  const { change } = spec
  if (change === 'relabelled-currency') return relabelled(place, spec.currency ?? 'GBP')
  if (change === 'missing-currency') return withoutCurrency(place)
  if (change === 'shifted-clock') return shifted(place, spec.ms ?? -45 * 60_000, toEpochMs(at))
  if (change in rowChanges) return rowChanges[change as keyof typeof rowChanges](place, places)
  const context = { digits: spec.digits ?? 3, factor: spec.factor ?? '0.79', memory }
  const price = priceChanges[change as keyof typeof priceChanges](place.leaf, place.value, context)
  if (price === undefined) return undefined
  return price === null ? [] : [{ ...place.value, price }]
}

/** The first answer to a call, with its times and all, again and again. */
function frozenBody(good: ServedBody, { url, memory }: ChangeContext): ServedBody | undefined {
  const first = memory.get(url)
  if (first === undefined) memory.set(url, JSON.stringify(good))
  if (first === undefined) return undefined
  const old = JSON.parse(first) as ServedBody
  return old.body === good.body ? undefined : old
}
