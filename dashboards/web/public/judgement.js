import { fetchJson } from './line.js'
import { keyOf } from './model.js'
import { lateMs } from './spot.js'

/**
 * @typedef {{ provider: string, price: string, observedAt: string, ageMs: number, excluded: string | null }} SourceIn
 * @typedef {{ asset: string, currency: string, price: string, mad: string, spreadPercent: string, isDivergent: boolean,
 *   at: string, counted: number, sources: readonly SourceIn[] }} ConsensusView
 * @typedef {{ asset: string, symbol: string, name: string, currency: string, provider: string | null, price: string | null,
 *   observedAt: string | null, receivedAt: string, origin: string, at: string,
 *   skipped: readonly { provider: string, why: string }[] }} SpotView
 * @typedef {{ provider: string, asset: string, currency: string, observedAt: string, flag: string, since: string, evidence: string }} FlagView
 */

/** Without a consensus nothing says that the judge spoke: so often it is asked. */
const everyMs = 30_000
/** The judge's records come in the same second as its price, but not in one write. */
const afterMs = 700
const mostTries = 5

/** What the judge said last: consensus, who serves, and doubts. Loaded when a consensus comes, and every half minute. */
export class Judgement {
  /** @type {Map<string, ConsensusView>} */
  #consensus = new Map()
  /** @type {Map<string, SpotView>} */
  #spot = new Map()
  /** @type {Map<string, FlagView[]>} */
  #flags = new Map()
  #timer = 0
  /** The newest consensus that was heard of. */
  #wanted = 0
  #tries = 0
  #onChange

  /** @param {() => void} onChange */
  constructor(onChange) {
    this.#onChange = onChange
  }

  /** A consensus of a time came, or the stream began: what belongs to it is loaded soon, once for many. @param {number} [at] */
  hint(at = 0) {
    if (at > this.#wanted) {
      this.#wanted = at
      this.#tries = mostTries
    }
    this.#loadIn(afterMs)
  }

  /** @param {{ consensus: readonly ConsensusView[], spot: readonly SpotView[], flags: readonly FlagView[] }} said */
  use({ consensus, spot, flags }) {
    this.#consensus = new Map(consensus.map(c => [keyOf(c), c]))
    this.#spot = new Map(spot.map(s => [keyOf(s), s]))
    this.#flags = Map.groupBy(flags, f => `${keyOf(f)} ${f.provider}`)
    this.#onChange()
  }

  /** @param {string} key */
  consensus(key) {
    return this.#consensus.get(key)
  }

  /** @param {string} key */
  spot(key) {
    return this.#spot.get(key)
  }

  /** Of a minute before the judge's last, or the judge is silent. @param {string} key @param {number} now */
  isOld(key, now) {
    const at = Date.parse(this.#consensus.get(key)?.at ?? '')
    const newest = Date.parse(this.#spot.get(key)?.at ?? '')
    return newest - at > 90_000 || now - at > lateMs
  }

  /** Why the median does not stand for the sources. @param {string} key */
  divergence(key) {
    const at = this.#consensus.get(key)?.at
    return this.#flags.get(`${key} consensus`)?.find(f => f.flag === 'divergence' && f.observedAt === at)
      ?.evidence
  }

  /**
   * All about one source of an asset, for `standingTold`. Its doubts are those of the value that was judged last, or of a newer one.
   * @param {string} key @param {string} provider @param {number} priceTime of its newest price @param {number} now
   */
  about(key, provider, priceTime, now) {
    const isOld = this.isOld(key, now)
    const c = isOld ? undefined : this.#consensus.get(key)
    const spot = this.#spot.get(key)
    const isSpoken = spot !== undefined && now - Date.parse(spot.at) <= lateMs
    const source = c?.sources.find(s => s.provider === provider)
    const from = source ? Date.parse(source.observedAt) : priceTime
    const flags = (this.#flags.get(`${key} ${provider}`) ?? []).filter(f => Date.parse(f.observedAt) >= from)
    const skippedWhy = isSpoken ? spot.skipped.find(s => s.provider === provider)?.why : undefined
    return {
      source,
      skippedWhy,
      flags,
      isServing: isSpoken && spot.provider === provider,
      isOnly: c?.sources.length === 1,
      isOld: isOld && skippedWhy === undefined,
    }
  }

  /** @param {number} ms */
  #loadIn(ms) {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#load(), ms)
  }

  async #load() {
    if (document.hidden) return this.#loadIn(everyMs)
    try {
      const [{ consensus }, { spot }, { flags }] = await Promise.all(
        ['consensus', 'spot', 'flags/latest'].map(name => fetchJson(`/api/v1/${name}`)),
      )
      this.use({ consensus, spot, flags })
    } catch {
      // What was said last stays, and grows old visibly: the page then says since when it was not judged.
    }
    this.#loadIn(this.#isBehind() ? afterMs : everyMs)
  }

  /** What was heard of is not stored yet; asked for again a few times. */
  #isBehind() {
    const newest = Math.max(0, ...[...this.#consensus.values()].map(c => Date.parse(c.at)))
    this.#tries -= 1
    return newest < this.#wanted && this.#tries > 0
  }
}
