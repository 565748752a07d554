import type { PricePlace } from './body-places.ts'
import { type BodyNode, nodesOf, plainOf, removeChild, sayPlain } from './body-tree.ts'
import type { ServedValue } from './types.ts'

/** `GBP` in the letter case of what stood there. */
const inCaseOf = (text: string, like: string): string =>
  like === like.toLowerCase() ? text.toLowerCase() : text

const isLabel = (text: string, currency: string): boolean => text.toUpperCase() === currency.toUpperCase()

/** Every label of the row's currency, as a text or as a member's name, says another. undefined where the row has none. */
export function relabelled({ row, value }: PricePlace, currency: string): readonly ServedValue[] | undefined {
  let isChanged = false
  for (const node of nodesOf(row)) {
    if (node.kind === 'leaf' && node.text.startsWith('"') && isLabel(plainOf(node), value.currency)) {
      sayPlain(node, inCaseOf(currency, plainOf(node)))
      isChanged = true
    }
    if (node.kind !== 'object') continue
    for (const member of node.members)
      if (isLabel(member[0], value.currency)) {
        member[0] = inCaseOf(currency, member[0])
        isChanged = true
      }
  }
  return isChanged ? [{ ...value, currency }] : undefined
}

/** The quote in the asked currency is not there. undefined where the row does not name its currency. */
export function withoutCurrency({ row, value, leaf, above }: PricePlace): readonly ServedValue[] | undefined {
  const path = [...above, leaf]
  const from = Math.max(0, path.indexOf(row))
  for (let at = path.length - 1; at > from; at -= 1) {
    const [node, container] = [path[at], path[at - 1]]
    if (node && container && isQuoteIn(container, node, value.currency)) {
      removeChild(container, node)
      return []
    }
  }
  return undefined
}

/** A member named after the currency, or an element of a list that says it. */
function isQuoteIn(container: BodyNode, node: BodyNode, currency: string): boolean {
  if (container.kind === 'object')
    return container.members.some(([name, value]) => value === node && isLabel(name, currency))
  if (container.kind !== 'array' || node.kind !== 'object') return false
  return node.members.some(([, value]) => value.kind === 'leaf' && isLabel(plainOf(value), currency))
}

/** A time that a row says, in milliseconds: ISO with a zone, seconds or milliseconds since 1970; undefined for any other text. */
export function timeIn(text: string, nearMs: number): { ms: number; as: 'iso' | 's' | 'ms' } | undefined {
  const isNear = (ms: number): boolean => Math.abs(ms - nearMs) < 3 * 86_400_000
  if (/^\d{4}-\d\d-\d\dT/.test(text)) return { ms: Date.parse(text), as: 'iso' }
  const number = /^\d{10}(\d{3})?(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (isNear(number * 1_000)) return { ms: number * 1_000, as: 's' }
  return isNear(number) ? { ms: number, as: 'ms' } : undefined
}

/** Every time of the row goes by so many milliseconds. undefined where the row says none. */
export function shifted(place: PricePlace, byMs: number, nowMs: number): readonly ServedValue[] | undefined {
  const { row, value } = place
  let isChanged = false
  for (const node of nodesOf(row)) {
    const time = node.kind === 'leaf' ? timeIn(plainOf(node), nowMs) : undefined
    if (!time || node.kind !== 'leaf') continue
    const ms = time.ms + byMs
    const text = { iso: new Date(ms).toISOString(), s: String(Math.floor(ms / 1_000)), ms: String(ms) }
    sayPlain(node, text[time.as])
    isChanged = true
  }
  if (!isChanged) return undefined
  // A price's own time is told without what a clock of milliseconds can not say.
  const observedAt =
    value.observedAt === null ? null : Math.floor((value.observedAt + byMs * 1_000) / 1_000) * 1_000
  return [{ ...value, observedAt: observedAt as ServedValue['observedAt'] }]
}
