import { byId, setText } from './dom.js'
import { showFold } from './fold.js'
import { consensusTold, servedTold, standingTold } from './judge-words.js'
import { standOf } from './spot.js'

/** @typedef {import('./model.js').LivePrice} LivePrice */

/**
 * What the judge says of the chosen asset and of each of its sources.
 * @param {import('./model.js').Model} model
 * @param {import('./judgement.js').Judgement} judgement
 * @param {ReturnType<typeof import('./prices.js').makePrices>['show']} showPrices
 */
export function makeJudged(model, judgement, showPrices) {
  let told = { key: '', text: '' }

  /** Which price stands for an asset, and why. @param {string} key @param {number} now */
  const standFor = (key, now) => {
    const lead = model.lead(key)
    const spot = judgement.spot(key)
    return lead && standOf({ spot, live: model.price(key, spot?.provider ?? ''), lead, now })
  }

  /** @param {string} key @param {number} now */
  const showWords = (key, now) => {
    const stand = standFor(key, now)
    if (!stand) return
    const served = servedTold(stand, now)
    const evidence = judgement.divergence(key)
    const isOld = judgement.isOld(key, now)
    const more = { decimals: model.decimals(key), now, isOld, evidence, spot: judgement.spot(key) }
    const consensus = consensusTold(judgement.consensus(key), more)
    showFold(byId('served'), served)
    showFold(byId('consensus'), consensus)
    const isDrawn = !isOld && (judgement.consensus(key)?.counted ?? 0) > 1
    byId('consensus').toggleAttribute('data-line', isDrawn)
    const warned = [served, consensus].filter(t => t.kind === 'warn').map(t => t.text)
    // Figures change each minute; a screen reader hears who serves and what is wrong, once.
    const text = stand.kind === 'served' ? `Served by ${stand.spot?.provider}` : served.text
    const isNew = key === told.key && text !== told.text
    told = { key, text }
    if (isNew) setText(byId('announce'), warned[0] ?? served.text)
  }

  /** @param {string} key @param {readonly LivePrice[]} found @param {number} now */
  const show = (key, found, now) => {
    showWords(key, now)
    const abouts = new Map(found.map(p => [p.provider, judgement.about(key, p.provider, p.time, now)]))
    const isDoubted = (/** @type {LivePrice} */ { provider }) => {
      const about = abouts.get(provider)
      return typeof about?.source?.excluded === 'string' || (about?.flags.length ?? 0) > 0
    }
    showPrices(found, model.providers, model.decimals(key), {
      excluded: new Set(found.filter(isDoubted).map(p => p.provider)),
      standing: ({ provider }) => standingTold(abouts.get(provider), now),
    })
  }
  return { standFor, show }
}
