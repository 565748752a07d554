import fc from 'fast-check'
import { expect } from 'vitest'
import { isDecimalString } from '../../core/brands.ts'
import type { Mapped } from '../provider.ts'
import { copyTree, pathOf, placesOf, putAt, readTree, type Tree, writeTree } from './json-tree.ts'
import { type Mutation, mutationsOf } from './mutations.ts'
import { bytesOf, judgeWell, keysOf, mapOrRefuse, type Subject } from './subject.ts'

/**
 * Keys by id of the node that their price comes from: found by a probe, so that an ask equal to the last trade is not taken for it.
 * The place of a price that the good body lacks (null) is one too.
 */
function priceNodes(subject: Subject, root: Tree): ReadonlyMap<number, readonly string[]> {
  const found = new Map<number, string[]>()
  for (const { node } of placesOf(root)) {
    if (node.kind === 'array' || node.kind === 'object') continue
    const isFound = (key: string): boolean => {
      const price = subject.prices.get(key)
      return price === undefined || price === node.text
    }
    const own = (['number', 'text'] as const).flatMap(kind =>
      keysOfProbe(subject, root, { ...node, kind, text: probe }),
    )
    const keys = [...new Set(own)].filter(isFound)
    if (keys.length > 0) found.set(node.id, keys)
  }
  return found
}

const probe = '7.0625'

/** The keys that get the probe's price when it is put in the place of the node with its id. */
function keysOfProbe(subject: Subject, root: Tree, node: Tree): string[] {
  const tree = copyTree(root)
  const place = placesOf(tree).find(p => p.node.id === node.id)
  if (place) putAt(place, node)
  const mapped = mapOrRefuse(subject, writeTree(tree))
  return mapped
    ? keysOf(mapped, subject.isSeries)
        .filter(([, price]) => price === probe)
        .map(([key]) => key)
    : []
}

/** A number that may stand in the place of a price: above zero. Figures of a market may be 0, a change below it. */
const isValue = (text: string, { dataset }: Subject): boolean =>
  isDecimalString(text) &&
  (dataset.kind === 'metrics' || (!text.startsWith('-') && /[1-9]/.test(text.split(/[eE]/, 1)[0] ?? '')))

interface Now {
  /** What each key may have: its own price, or a valid number that stands now in that price's very place. */
  readonly allowed: ReadonlyMap<string, ReadonlySet<string>>
  /** Keys whose price is gone or no price any more. */
  readonly spoiled: ReadonlySet<string>
  /** Every text, number and name of the body. */
  readonly said: ReadonlySet<string>
}

/** What may be told of a spoiled body. */
function allowedIn(root: Tree, subject: Subject, sources: ReadonlyMap<number, readonly string[]>): Now {
  const allowed = new Map<string, ReadonlySet<string>>(
    [...subject.prices].map(([key, price]) => [key, new Set([price])]),
  )
  const spoiled = new Set<string>()
  const said = new Set<string>()
  for (const { node, parent, index } of placesOf(root)) {
    if ('text' in node) said.add(node.text.trim())
    if (parent.kind === 'object') said.add(parent.members[index]?.[0] ?? '')
    for (const key of sources.get(node.id) ?? [])
      if ((node.kind === 'number' || node.kind === 'text') && isValue(node.text, subject))
        allowed.set(key, new Set([...(allowed.get(key) ?? []), node.text]))
      else if (subject.prices.has(key)) spoiled.add(key)
  }
  return { allowed, spoiled, said }
}

/** Where nothing was asked by name, a row whose id was changed is a row of another asset: the body says so. */
const isOtherAsset = (
  key: string,
  said: ReadonlySet<string>,
  { context, dataset, prices }: Subject,
): boolean =>
  context.page.assets.length === 0 && dataset.kind !== 'metrics' && !prices.has(key) && said.has(key)

function checkMapped(subject: Subject, mapped: Mapped, now: Now): void {
  const { page } = subject.context
  const told = keysOf(mapped, subject.isSeries)
  for (const [key, price] of told)
    if (!now.allowed.get(key)?.has(price) && !isOtherAsset(key, now.said, subject))
      throw new Error(
        `a wrong price: ${key} is ${price}, not ${[...(now.allowed.get(key) ?? [])].join(' or ')}`,
      )
  const missing = new Map(mapped.missing.map(m => [m.sourceId, m.reason]))
  for (const [id, reason] of missing) if (!reason) throw new Error(`${id} is missing without a reason`)
  const there = new Set(mapped.records.map(r => r.sourceId))
  for (const { sourceId } of page.assets)
    if (!there.has(sourceId) && !missing.has(sourceId)) throw new Error(`${sourceId} was lost without a word`)
  if (subject.isSeries) checkSeries(subject, new Set(told.map(([key]) => key)), missing, now)
}

/**
 * Of a series each price that is gone is told: where a range was asked whatever happened to its row, dropped ones too, by more than
 * what was missing from the good body. Without a range nobody can know that there was a row.
 */
function checkSeries(
  { context, prices, missingBefore }: Subject,
  keys: ReadonlySet<string>,
  missing: ReadonlyMap<string, string>,
  now: Now,
): void {
  for (const key of context.page.range ? prices.keys() : now.spoiled) {
    if (keys.has(key)) continue
    const sourceId = key.slice(0, key.lastIndexOf('@'))
    const reason = missing.get(sourceId)
    if (reason === undefined || reason === missingBefore?.get(sourceId))
      throw new Error(`${key} was lost without a word`)
  }
}

const protoNames = (): string =>
  [Object.prototype, Array.prototype].map(p => Reflect.ownKeys(p).length).join()

/** Judges and maps one spoiled body. @throws Error that names the rule that was broken */
function checkOne(subject: Subject, root: Tree, sources: ReadonlyMap<number, readonly string[]>): void {
  const clean = protoNames()
  const text = writeTree(root)
  const answer = { status: 200, headers: {}, body: bytesOf(text), receivedAt: subject.context.receivedAt }
  judgeWell(subject, answer)
  const mapped = mapOrRefuse(subject, answer.body)
  if (mapped) checkMapped(subject, mapped, allowedIn(root, subject, sources))
  if (protoNames() !== clean) throw new Error('Object.prototype was changed')
}

/** A price beside which the body itself says another currency is no price in this one, whatever the answer was meant to be. */
function checkCurrencies(
  subject: Subject,
  root: Tree,
  sources: ReadonlyMap<number, readonly string[]>,
): void {
  const wanted = subject.context.page.currency.toUpperCase()
  for (const { node, parent } of placesOf(root)) {
    if (node.kind !== 'text' || node.text.toUpperCase() !== wanted || parent.kind !== 'object') continue
    const keys = parent.members.flatMap(([, beside]) => sources.get(beside.id) ?? [])
    const tree = copyTree(root)
    const place = placesOf(tree).find(p => p.node.id === node.id)
    if (!place || keys.length === 0) continue
    putAt(place, { ...node, text: node.text === wanted ? 'XTS' : 'xts' })
    const mapped = mapOrRefuse(subject, writeTree(tree))
    for (const [key] of mapped ? keysOf(mapped, subject.isSeries) : [])
      if (keys.includes(key))
        throw new Error(`${pathOf(place)} says XTS: ${key} was taken for ${wanted} all the same`)
  }
}

interface Step {
  readonly at: number
  readonly how: number
}

/** Applies the steps; gives the body's tree and what was done, or undefined where no step fitted. */
function spoil(root: Tree, steps: readonly Step[], ways: readonly Mutation[]): [Tree, string[]] | undefined {
  const tree = copyTree(root)
  const done: string[] = []
  let hasShifted = false
  for (const { at, how } of steps) {
    const places = placesOf(tree)
    const place = places[at % Math.max(1, places.length)]
    const way = ways[how % ways.length]
    if (!place || !way || (way.shifts && hasShifted)) continue
    const path = pathOf(place)
    if (!way.run(place)) continue
    hasShifted ||= way.shifts === true
    done.push(`${path} ${way.name}`)
  }
  return done.length === 0 ? undefined : [tree, done]
}

const mostSingles = 4_000
/** Each check reads and writes the whole body, so of one with many places fewer are made: so many places are visited in all. */
const mostVisits = 600_000
const boundedBy = (count: number, most: number, least: number): number =>
  Math.max(least, Math.min(most, Math.floor(mostVisits / count)))

/**
 * Spoils the body in every way at every place (of large bodies a part), then by chance in two or three ways at once.
 * @throws Error that says what was done and which rule the provider broke: a wrong price, a loss without a word, a strange throw
 */
export function checkMutations(good: Subject, { numRuns = 600 } = {}): void {
  const before = mapOrRefuse(good, good.body)?.missing ?? []
  const subject = { ...good, missingBefore: new Map(before.map(m => [m.sourceId, m.reason])) }
  const root = readTree(subject.body)
  const sources = priceNodes(subject, root)
  const placesKnown = new Set([...sources.values()].flat()).size
  expect(placesKnown > 0, 'the place of a price in the body is known').toBe(!subject.isCrossChecked)
  const ids = subject.context.page.assets.map(a => a.sourceId)
  const ways = mutationsOf(new Set([...ids, ...[...subject.prices.keys()].map(k => k.replace(/@.*$/, ''))]))
  checkCurrencies(subject, root, sources)
  const count = placesOf(root).length
  const check = (steps: readonly Step[]): void => {
    const spoiled = spoil(root, steps, ways)
    if (!spoiled) return
    try {
      checkOne(subject, spoiled[0], sources)
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      throw new Error(`${spoiled[1].join('; ')}: ${message}`, { cause: error })
    }
  }
  // A stride that shares no factor with the number of ways, so that a part has all ways and all places.
  const stride = Math.ceil((count * ways.length) / boundedBy(count, mostSingles, 1_500))
  const step = stride > 1 ? stride + ((stride + 1) % 2) : 1
  for (let n = 0; n < count * ways.length; n += step)
    check([{ at: Math.floor(n / ways.length), how: n % ways.length }])
  const steps = fc.record({ at: fc.nat(count), how: fc.nat(ways.length - 1) })
  fc.assert(fc.property(fc.array(steps, { minLength: 2, maxLength: 3 }), check), {
    numRuns: boundedBy(4 * count, numRuns, 200),
  })
}
