import { formatMoment, formatPrice, formatSince } from './format.js'

/** The judge's words, short for a line and whole for who opens it. Pure: no page here. */

/** @typedef {{ provider: string, why: string }} Skipped */
/** @typedef {{ text: string, lines: readonly string[], kind: 'plain' | 'good' | 'warn' }} Told what a fold shows; without lines there is nothing to open */

/** @type {Record<string, string>} */
const words = {
  'frozen-value': 'frozen value',
  'wrong-currency': 'wrong currency',
  'unit-jump': 'unit jump',
  outlier: 'far from the others',
  'stale-clock': 'stale clock',
  'silent-deprecation': 'given up by its provider',
  'changed-json': 'changed answer',
  divergence: 'sources disagree',
}

/** @param {string} flag */
export const flagWords = flag => words[flag] ?? flag

const doubtPattern = /(?:^|[;:] )([a-z-]+) since (\d{4}-\d\d-\d\dT[\d:.]+Z)/g

/** One reason in a few words: `frozen value since 10:02`, `no value for 12 min`. @param {string} why @param {number} now */
export function shortWhy(why, now) {
  const doubts = [...why.matchAll(doubtPattern)].map(
    ([, flag = '', at = '']) => `${flagWords(flag)} since ${formatSince(Date.parse(at), now)}`,
  )
  if (doubts.length > 0) return doubts.join(', ')
  if (why.startsWith('disabled')) return 'off'
  const [first = ''] = why.replace(/^dead: /, '').split(',')
  return first.length > 60 ? `${first.slice(0, 59)}…` : first
}

/** The whole reason, with times as the page tells them. @param {string} why @param {number} now */
export const fullWhy = (why, now) =>
  why.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, at => formatMoment(Date.parse(at), now))

/** `coinbase skipped: frozen value since 10:02`; those of one reason together. @param {readonly Skipped[]} skipped @param {number} now */
export function skippedText(skipped, now) {
  const groups = Map.groupBy(skipped, ({ why }) => shortWhy(why, now))
  return [...groups]
    .map(([why, all]) => {
      const names = all.length > 2 ? `${all.length} sources` : all.map(s => s.provider).join(' and ')
      return `${names} skipped: ${why}`
    })
    .join('; ')
}

/**
 * Who serves, and who before it does not.
 * @param {import('./spot.js').Stand} stand @param {number} now @returns {Told}
 */
export function servedTold({ kind, spot, held }, now) {
  if (!spot)
    return {
      text: 'Not judged yet: the first fresh price by name, not a chosen one',
      lines: [],
      kind: 'plain',
    }
  const lines = spot.skipped.map(s => `${s.provider}: ${fullWhy(s.why, now)}`)
  const at = formatSince(Date.parse(spot.at), now)
  if (kind === 'late')
    return { text: `Not judged since ${at}: the first fresh price by name`, lines, kind: 'warn' }
  const skipped = skippedText(spot.skipped, now)
  if (kind === 'none') return { text: `No source is fit to serve. ${skipped}`.trim(), lines, kind: 'warn' }
  const waits = held
    ? [`${held.provider} says ${held.price} now: far from the price of ${at}, so it waits for the judge`]
    : []
  const first = spot.skipped.length === 0 ? ', the first choice' : ''
  const text = [`Served by ${spot.provider}${first}`, held && `its newest price waits for the judge`, skipped]
    .filter(Boolean)
    .join('; ')
  const isUsual = !held && spot.skipped.every(s => s.why === 'never had a value')
  return { text, lines: [...waits, ...lines], kind: isUsual ? 'plain' : 'warn' }
}

/**
 * The median, of how many, and how far apart they lie.
 * @param {import('./judgement.js').ConsensusView | undefined} c
 * @param {{ decimals: number, now: number, isOld: boolean, evidence: string | undefined, spot: object | undefined }} more `isOld`: nothing was
 *   worked out since; `spot`: what the judge said of who serves, undefined = it has not spoken
 * @returns {Told}
 */
export function consensusTold(c, { decimals, now, isOld, evidence, spot }) {
  if (!c && spot) return { text: 'No consensus: no source counts', lines: [], kind: 'warn' }
  if (!c) return { text: 'No consensus yet: it is worked out at each whole minute', lines: [], kind: 'plain' }
  const at = formatSince(Date.parse(c.at), now)
  if (isOld) return { text: `No consensus since ${at}: no source counts`, lines: [], kind: 'warn' }
  const [only] = c.sources.filter(s => s.excluded === null)
  const all = c.sources.length
  if (c.counted === 1)
    return all === 1
      ? {
          text: `One source only, ${only?.provider}: nothing to compare its price with`,
          lines: [],
          kind: 'plain',
        }
      : {
          text: `Only ${only?.provider} counts of ${all} sources: no other confirms its price`,
          lines: [],
          kind: 'warn',
        }
  const of = c.counted === all ? `all ${all}` : `${c.counted} of ${all}`
  const spread = Number(c.spreadPercent).toFixed(2)
  const price = `${formatPrice(c.price, decimals)} ${c.currency}`
  const figures = `Consensus ${price}: median of ${of} sources at ${at}, MAD ${formatPrice(c.mad, decimals)}`
  if (!c.isDivergent) return { text: `${figures}, ${spread} % apart`, lines: [], kind: 'plain' }
  return {
    text: `Sources disagree: ${spread} % apart. ${figures}`,
    lines: evidence ? [evidence] : [],
    kind: 'warn',
  }
}

/** @type {Told} */
const notJudged = { text: 'Not judged yet', lines: [], kind: 'plain' }

/**
 * Whether a source counts, or why not.
 * @param {{ source: import('./judgement.js').SourceIn | undefined, skippedWhy: string | undefined, flags: readonly import('./judgement.js').FlagView[],
 *   isServing: boolean, isOnly: boolean, isOld: boolean } | undefined} about
 * @param {number} now
 * @returns {Told}
 */
export function standingTold(about, now) {
  if (!about) return notJudged
  const { source, skippedWhy, flags, isServing, isOnly, isOld } = about
  const why = source ? source.excluded : skippedWhy
  if (isOld || (!source && skippedWhy === undefined)) return notJudged
  const evidence = flags.map(
    f => `${flagWords(f.flag)} since ${formatSince(Date.parse(f.since), now)}: ${f.evidence}`,
  )
  if (typeof why === 'string') {
    const lines = [...evidence, `Does not count: ${fullWhy(why, now)}`]
    return { text: `Does not count: ${shortWhy(why, now)}`, lines, kind: 'warn' }
  }
  const counts = isOnly ? 'The only source' : 'Counts'
  const text = isServing ? `${counts}, serves` : counts
  if (evidence.length === 0) return { text, lines: [], kind: 'good' }
  return {
    text: `${text}, doubted: ${flags.map(f => flagWords(f.flag)).join(', ')}`,
    lines: evidence,
    kind: 'warn',
  }
}
