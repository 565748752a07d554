/**
 * @typedef {import('./model.js').LivePrice} LivePrice
 * @typedef {import('./judgement.js').SpotView} SpotView
 * @typedef {object} Stand what stands for an asset
 * @property {'served' | 'none' | 'late' | 'unjudged'} kind `none` = no source is fit, `late` = the judge is silent
 * @property {LivePrice} price
 * @property {SpotView | undefined} spot
 * @property {LivePrice} [held] a newer price of who serves, too far away to be shown before it is judged
 */

/** The judge speaks each minute: a word this old is not of now. */
export const lateMs = 210_000

/** A live price of who serves is shown at once, unless it is so far (a share) from what was judged. */
const farShare = 0.01

/**
 * The price of the large number: of the source that the role serves. Before the judge's first word, and when it is silent, the
 * first fresh price by name.
 * @param {{ spot: SpotView | undefined, live: LivePrice | undefined, lead: LivePrice, now: number }} about `live`: the newest of who serves
 * @returns {Stand}
 */
export function standOf({ spot, live, lead, now }) {
  if (!spot) return { kind: 'unjudged', price: lead, spot }
  if (now - Date.parse(spot.at) > lateMs) return { kind: 'late', price: lead, spot }
  if (spot.provider === null || spot.price === null || spot.observedAt === null)
    return { kind: 'none', price: lead, spot }
  const { asset, symbol, name, currency, provider, price, observedAt, receivedAt, origin } = spot
  const time = Date.parse(observedAt)
  const judged = { asset, symbol, name, currency, provider, price, observedAt, receivedAt, origin, time }
  if (!live || live.time <= time) return { kind: 'served', price: judged, spot }
  // Only a comparison with a limit, so floats will do.
  const isFar = Math.abs(Number(live.price) / Number(price) - 1) > farShare
  return isFar ? { kind: 'served', price: judged, spot, held: live } : { kind: 'served', price: live, spot }
}
