import type { Fault } from './faults.contract.ts'

/**
 * A value that stands still is a lie that can be seen only where the truth moves. So many times the honest series would have changed its
 * digits (or stepped its clock) before its freeze counts as one that a detector can find.
 *
 * Why 20: where trades come without memory, a rest of k usual ones happens with the chance e^-k. Thirty series that are asked each
 * minute have at most 16 million rests in a year (e^16.6): one of 20 usual rests comes once in thirty years. A shorter one happens to
 * honest series, too: no rule could tell it without false alarms. It is a figure of the world, not of the detectors: nothing here
 * imports their parameters.
 */
export const visibleChanges = 20
/** And the honest price must have been so many standard deviations of the source's own noise away (both values carry it). */
const noiseDeviations = 3 * Math.SQRT2

/** What an honest answer would have said in the place of the one that lies. */
export interface Honest {
  readonly digits: string
  readonly price: number
  /** Minutes, of the source's own clock. */
  readonly observed: number
}

interface Watched {
  readonly first: Honest
  last: Honest
  digits: number
  steps: number
  away: number
}

/** So many minutes as many sources must have told one price as the other: with one of them silent it is a few against many. */
const visibleMinutes = 20

/** Which of the injected lies could be seen, by what was true meanwhile. */
export class Sight {
  readonly #watched = new Map<Fault, Map<string, Watched>>()
  readonly #halves = new Map<Fault, number>()

  /** One answer that lies. `series` names provider and currency; `noise` is a share of the price. */
  see(fault: Fault, series: string, honest: Honest, noise: number): void {
    const all = this.#watched.get(fault) ?? new Map<string, Watched>()
    this.#watched.set(fault, all)
    const seen = all.get(series) ?? { first: honest, last: honest, digits: 0, steps: 0, away: 0 }
    all.set(series, seen)
    if (honest.digits !== seen.last.digits) seen.digits += 1
    if (honest.observed > seen.last.observed) seen.steps += 1
    const distance = Math.abs(Math.log(honest.price / seen.first.price))
    seen.away = Math.max(seen.away, distance / (noiseDeviations * noise))
    seen.last = honest
  }

  /** One minute in which half of the sources that answered stood against the other half. */
  seeHalves(fault: Fault): void {
    this.#halves.set(fault, (this.#halves.get(fault) ?? 0) + 1)
  }

  /** Whether the lie could be seen before it ended: in every series that it is about. One that no answer carried could not. */
  isVisible(fault: Fault): boolean {
    if (fault.expected === 'divergence') return (this.#halves.get(fault) ?? 0) >= visibleMinutes
    const all = [...(this.#watched.get(fault)?.values() ?? [])]
    return all.length > 0 && all.every(seen => isSeen(fault, seen))
  }
}

function isSeen({ act }: Fault, { digits, steps, away }: Watched): boolean {
  if (act.kind === 'freeze') return digits >= visibleChanges && away > 1
  if (act.kind === 'clock-stops' || act.kind === 'clock-behind' || act.kind === 'cached')
    return steps >= visibleChanges
  return true
}
