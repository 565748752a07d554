import { closest, distance } from 'fastest-levenshtein'

/** `; did you mean X?` for the nearest known name, or nothing when none is near. */
export function suggest(name: string, known: readonly string[]): string {
  const nearest = closest(name, [...known])
  return distance(name, nearest) <= Math.max(2, name.length / 4) ? `; did you mean ${nearest}?` : ''
}
