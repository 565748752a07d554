import type { Fault, FaultAct } from './faults.contract.ts'
import type { Market } from './market.contract.ts'
import { type Honest, Sight } from './sight.contract.ts'
import type { SimRecord } from './simulation.contract.ts'
import type { SimSource } from './sources.contract.ts'

/** What an answer says: text of the price, and the source's own time in minutes. */
export interface Said {
  readonly price: string
  readonly observed: number
}

/** Turns honest answers into lies, and keeps what was true meanwhile. */
export class Distortion {
  readonly #market: Market
  readonly #kept = new Map<string, Said & { readonly fault: Fault }>()
  readonly sight = new Sight()
  constructor(market: Market) {
    this.#market = market
  }

  /** `beside` are the records of this minute so far: the lie of a label takes the very digits of another currency. */
  of(
    fault: Fault | undefined,
    { source, index }: { readonly source: SimSource; readonly index: number },
    honest: Honest,
    beside: readonly SimRecord[],
  ): Said {
    const said = { price: honest.digits, observed: honest.observed }
    if (!fault) return said
    const { asset, currency } = source.series[index]!
    const key = `${source.provider}|${asset.id}|${currency}`
    this.sight.see(fault, key, honest, source.noise)
    const { act } = fault
    const digits = source.digits(asset)
    if (act.kind === 'times') return { ...said, price: textOf(honest.price * act.factor, digits) }
    if (act.kind === 'turned') return { ...said, price: textOf(10 ** act.power / honest.price, digits) }
    if (act.kind === 'in-currency') {
      const found = digitsOf(beside, { provider: source.provider, asset: asset.id, currency: act.currency })
      const rate = (c: string): number => this.#market.rate(c, honest.observed)
      const turned = (honest.price * rate(act.currency)) / rate(currency)
      return { ...said, price: found ?? textOf(turned, digits) }
    }
    return this.#standing(act, said, this.#keep(key, fault, said))
  }

  #keep(key: string, fault: Fault, said: Said): Said {
    const known = this.#kept.get(key)
    if (known?.fault === fault) return known
    this.#kept.set(key, { ...said, fault })
    return said
  }

  #standing(act: FaultAct, said: Said, first: Said): Said {
    if (act.kind === 'freeze') return { ...said, price: first.price }
    if (act.kind === 'clock-stops') return { ...said, observed: first.observed }
    if (act.kind === 'cached') return { price: first.price, observed: first.observed }
    if (act.kind === 'clock-behind') return { ...said, observed: said.observed - act.minutes }
    return said
  }
}

/** The very digits of the other currency where the source has it. */
function digitsOf(
  beside: readonly SimRecord[],
  place: { readonly provider: string; readonly asset: string; readonly currency: string },
): string | undefined {
  const found = beside.findLast(
    ({ record }) =>
      record.kind === 'quote' &&
      record.provider === place.provider &&
      record.asset === place.asset &&
      record.currency === place.currency,
  )?.record
  return found?.kind === 'quote' ? found.price : undefined
}

/** Fixed digits, unless nothing would be left of a small number. */
const textOf = (value: number, digits: number): string =>
  value > 10 ** (4 - digits) ? value.toFixed(digits) : value.toPrecision(8)
