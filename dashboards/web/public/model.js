/**
 * @typedef {{ asset: string, symbol: string, name: string, currency: string, provider: string, price: string,
 *   observedAt: string, receivedAt: string, origin: string, time: number }} LivePrice
 * @typedef {Omit<LivePrice, 'time'>} ApiPrice
 */

import { decimalsOf } from './format.js'

/** @param {{ asset: string, currency: string }} price */
export const keyOf = ({ asset, currency }) => `${asset} ${currency}`

/**
 * The id of an asset that only a provider's list knows (`coinmarketcap:91001`): it has no name of ours, and its ticker may be
 * that of many. Empty for all others.
 * @param {{ asset: string, symbol: string, name: string }} price
 */
export const idOf = ({ asset, symbol, name }) => (name === symbol && asset.includes(':') ? asset : '')

/** The judge's median comes as a price of this name: it is no source. */
export const consensusName = 'consensus'

/** A price this much older than the newest of its asset does not stand for it. */
const freshMs = 5 * 60_000

/** The newest price of each asset, currency and provider. */
export class Model {
  /** @type {Map<string, Map<string, LivePrice>>} */
  #latest = new Map()
  /** The newest consensus of each asset and currency. @type {Map<string, LivePrice>} */
  #consensus = new Map()
  /** Providers that once fell behind, by asset and currency. @type {Map<string, Set<string>>} */
  #late = new Map()
  /** @type {Map<string, number>} */
  #decimals = new Map()
  /** @type {string[]} */
  #order = []
  /** All providers ever seen, in the order of their colours. @type {string[]} */
  providers = []

  /** The order of the assets, and providers that are known before a price of them is. @param {{ assets: { id: string }[], providers: string[] }} meta */
  know({ assets, providers }) {
    this.#order = assets.map(a => a.id)
    for (const provider of providers) this.#knowProvider(provider)
  }

  /** An older price than the known one changes nothing. @param {ApiPrice} price @returns {LivePrice} */
  apply(price) {
    const live = { ...price, time: Date.parse(price.observedAt) }
    const key = keyOf(price)
    if (price.provider === consensusName) {
      if ((this.#consensus.get(key)?.time ?? 0) <= live.time) this.#consensus.set(key, live)
      return live
    }
    const byProvider = this.#latest.get(key) ?? new Map()
    this.#latest.set(key, byProvider)
    if ((byProvider.get(price.provider)?.time ?? 0) <= live.time) byProvider.set(price.provider, live)
    this.#knowProvider(price.provider)
    return live
  }

  /** The prices of one asset, in the order of the providers' colours. @param {string} key */
  prices(key) {
    const found = this.#latest.get(key)
    return this.providers.flatMap(provider => found?.get(provider) ?? [])
  }

  /** @param {string} key @param {string} provider */
  price(key, provider) {
    return this.#latest.get(key)?.get(provider)
  }

  /**
   * The price that stands for the asset: of the first provider, in their fixed order, that is fresh. One that fell behind once
   * comes after the others, so that the number does not go to and fro: a movement is one of the price, not of its source.
   * @param {string} key
   */
  lead(key) {
    const prices = this.prices(key)
    if (prices.length === 0) return undefined
    const newest = newestOf(prices)
    const late = this.#late.get(key) ?? new Set()
    this.#late.set(key, late)
    for (const p of prices) if (newest.time - p.time > freshMs) late.add(p.provider)
    const fresh = prices.filter(p => newest.time - p.time <= freshMs)
    return fresh.find(p => !late.has(p.provider)) ?? fresh[0]
  }

  /** Decimals that the asset's prices are shown with: by its first one, the same for all providers. @param {string} key */
  decimals(key) {
    const [first] = this.prices(key)
    const decimals = this.#decimals.get(key) ?? (first ? decimalsOf(first.price) : 2)
    if (first) this.#decimals.set(key, decimals)
    return decimals
  }

  /** When each provider's newest price was observed. @param {string} key @returns {Map<string, number>} */
  newestTimes(key) {
    const consensus = this.#consensus.get(key)
    const all = consensus ? [...this.prices(key), consensus] : this.prices(key)
    return new Map(all.map(p => [p.provider, p.time]))
  }

  /** One row per asset and currency with its leading price. */
  rows() {
    const rank = (/** @type {string} */ asset) => {
      const at = this.#order.indexOf(asset)
      return at < 0 ? this.#order.length : at
    }
    return [...this.#latest.keys()]
      .flatMap(key => {
        const lead = this.lead(key)
        return lead ? [{ key, lead, decimals: this.decimals(key) }] : []
      })
      .sort((a, b) => rank(a.lead.asset) - rank(b.lead.asset) || (a.key < b.key ? -1 : 1))
  }

  /** @param {string} provider */
  #knowProvider(provider) {
    if (provider !== consensusName && !this.providers.includes(provider)) this.providers.push(provider)
  }
}

/** @param {readonly LivePrice[]} prices at least one */
export const newestOf = prices => prices.reduce((a, b) => (b.time > a.time ? b : a))
