import type { SentLine } from './lines.ts'

/** The server's sentences about lines that it did not store. */

/** Its own lines begin with this. Everything else of the request is stored then. */
export const isPartial = (text: string): boolean => /partial write:/.test(text)

/** How many points the server says it dropped; 0 where it does not tell (or tells wrongly: for lines it can not read). */
export const droppedOf = (text: string): number =>
  Number(/\bdropped=(\d+)/.exec(text)?.[1] ?? /\bdropped (\d+) points/.exec(text)?.[1] ?? 0)

const beyondRetention = /(?:beyond|outside) retention policy/
const opening = "unable to parse '"

/**
 * Places of the lines that an answer names, with its words about each; empty = it names none, look by halves. Beyond retention are
 * as many of the oldest as it counts, since nothing but their time decides.
 */
export function namedIn(text: string, sent: readonly SentLine[]): ReadonlyMap<number, string> {
  const quoted = quotedIn(text, sent)
  if (quoted.size > 0) return quoted
  const dropped = droppedOf(text)
  if (dropped >= sent.length) return new Map(sent.map((_, place) => [place, text]))
  if (!beyondRetention.test(text) || dropped === 0) return new Map()
  const byAge = sent.map((_, place) => place).sort((a, b) => (sent[a]?.at ?? 0) - (sent[b]?.at ?? 0))
  return new Map(byAge.slice(0, dropped).map(place => [place, text]))
}

function quotedIn(text: string, sent: readonly SentLine[]): Map<number, string> {
  const found = new Map<number, string>()
  const parts = text.split(opening).slice(1)
  if (parts.length === 0) return found
  const places = new Map<string, number[]>()
  for (const [place, { line }] of sent.entries()) places.set(line, [...(places.get(line) ?? []), place])
  for (const part of parts)
    for (let end = part.indexOf("': "); end >= 0; end = part.indexOf("': ", end + 1)) {
      const at = places.get(part.slice(0, end))
      if (!at) continue
      const why = part.slice(end + 3).replace(/ dropped=\d+\s*$/, '')
      for (const place of at) found.set(place, why.trim())
      break
    }
  return found
}
