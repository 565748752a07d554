/**
 * @typedef {{ asset: string, symbol: string, name: string, currency: string, provider: string, price: string,
 *   observedAt: string, receivedAt: string, origin: string, time: number }} LivePrice
 * @typedef {Omit<LivePrice, 'time'>} ApiPrice
 */

/** @param {{ asset: string, currency: string }} price */
export const keyOf = ({ asset, currency }) => `${asset} ${currency}`

/** The newest price of each asset, currency and provider. */
export class Model {
  /** @type {Map<string, Map<string, LivePrice>>} */
  #latest = new Map()
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

  /** One row per asset and currency with its newest price. */
  rows() {
    const rank = (/** @type {string} */ asset) => {
      const at = this.#order.indexOf(asset)
      return at < 0 ? this.#order.length : at
    }
    return [...this.#latest.entries()]
      .map(([key, byProvider]) => ({ key, newest: newestOf([...byProvider.values()]) }))
      .sort((a, b) => rank(a.newest.asset) - rank(b.newest.asset) || (a.key < b.key ? -1 : 1))
  }

  /** @param {string} provider */
  #knowProvider(provider) {
    if (!this.providers.includes(provider)) this.providers.push(provider)
  }
}

/** @param {readonly LivePrice[]} prices at least one */
export const newestOf = prices => prices.reduce((a, b) => (b.time > a.time ? b : a))
