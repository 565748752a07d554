/**
 * @typedef {{ asset: string, symbol: string, name: string, currency: string, provider: string, price: string,
 *   observedAt: string, receivedAt: string, origin: string, time: number }} LivePrice
 * @typedef {Omit<LivePrice, 'time'>} ApiPrice
 */

/** @param {{ asset: string, currency: string }} price */
export const keyOf = ({ asset, currency }) => `${asset} ${currency}`

const leadMs = 60_000

/** The newest price of each asset, currency and provider. */
export class Model {
  /** @type {Map<string, Map<string, LivePrice>>} */
  #latest = new Map()
  /** @type {Map<string, string>} */
  #leads = new Map()
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

  /**
   * The price that stands for the asset: one provider's for as long as it is fresh, so that the number does not jump to and
   * fro between providers.
   * @param {string} key
   */
  lead(key) {
    const prices = this.prices(key)
    if (prices.length === 0) return undefined
    const newest = newestOf(prices)
    const lead = prices.find(p => p.provider === this.#leads.get(key))
    if (lead && newest.time - lead.time < leadMs) return lead
    this.#leads.set(key, newest.provider)
    return newest
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
        return lead ? [{ key, lead }] : []
      })
      .sort((a, b) => rank(a.lead.asset) - rank(b.lead.asset) || (a.key < b.key ? -1 : 1))
  }

  /** @param {string} provider */
  #knowProvider(provider) {
    if (!this.providers.includes(provider)) this.providers.push(provider)
  }
}

/** @param {readonly LivePrice[]} prices at least one */
export const newestOf = prices => prices.reduce((a, b) => (b.time > a.time ? b : a))
