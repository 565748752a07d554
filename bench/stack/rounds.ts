import { type BenchLine, median, round } from '../line.ts'

/**
 * Runs each subject once a round, forwards and backwards in turn (ABBA), so that what drifts meets all alike. One round comes before
 * and is dropped: servers and caches are warm then.
 */
export async function interleaved<Name extends string, Result>(
  names: readonly Name[],
  rounds: number,
  one: (name: Name, round: number) => Promise<Result>,
): Promise<Readonly<Record<Name, readonly Result[]>>> {
  const found = Object.fromEntries(names.map(name => [name, [] as Result[]])) as Record<Name, Result[]>
  for (let round = 0; round <= rounds; round += 1)
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const result = await one(name, round)
      if (round > 0) found[name].push(result)
    }
  return found
}

/** Median, least and greatest of what is compared within each round. */
export interface Ratio {
  readonly median: number
  readonly least: number
  readonly greatest: number
}

/** `value` over the mean of the `floors` of the same round. */
export function ratioOf(values: readonly number[], ...floors: readonly (readonly number[])[]): Ratio {
  if (values.length === 0) throw new Error('there is nothing to compare')
  const ratios = values.map((value, i) => {
    const floor = floors.reduce((sum, f) => sum + (f[i] ?? Number.NaN), 0) / floors.length
    return value / floor
  })
  return { median: median(ratios), least: Math.min(...ratios), greatest: Math.max(...ratios) }
}

export const tell = (r: Ratio): string =>
  `${round(r.median, 2)} (${round(r.least, 2)}-${round(r.greatest, 2)})`

/** The control: the same loop against itself. Beyond 3 % the machine was too noisy for the figures beside it. */
export const aaLine = (name: string, r: Ratio): BenchLine => ({
  name,
  value: round(Math.abs(r.median - 1) * 100),
  unit: '% apart',
  bar: 3,
  ok: Math.abs(r.median - 1) <= 0.03,
  note: `the bare loop against itself: ${round(r.median, 3)} (${round(r.least, 3)}-${round(r.greatest, 3)}); beyond the bar the run is void`,
})
