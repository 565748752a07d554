import type { InfluxConnection } from './connection.ts'
import { refusalOf, words } from './errors.ts'
import type { Refusal } from './errors.ts'
import { Lines } from './lines.ts'
import type { SentLine } from './lines.ts'
import { namedIn } from './partial.ts'

/** A line that the server will never take, by its place, with its reason. */
export type Refused = Map<number, string>

/**
 * Stores lines and resolves when each of them is either on the server's disk (all of the rest came back with one 2xx) or refused for
 * good. Lines that were stored before are sent again where the server does not say which they were: that changes nothing.
 * @throws CryptosError CRY_SERVER_*, CRY_DISK_FULL: then nobody knows which are stored
 */
export async function storeLines(
  connection: InfluxConnection,
  sent: Lines,
  bucket?: string,
): Promise<Refused> {
  const work = { connection, sent, bucket, refused: new Map() }
  // Mostly all of them are taken at once.
  const refusal = sent.length === 0 ? undefined : await sendOnce(work, sent)
  if (refusal) await storeRest(work, sent.places, refusal)
  return work.refused
}

interface Work {
  readonly connection: InfluxConnection
  readonly sent: Lines
  readonly bucket: string | undefined
  readonly refused: Refused
}

async function storePlaces(work: Work, places: readonly number[]): Promise<void> {
  if (places.length === 0) return
  const refusal = await sendOnce(work, Lines.of(linesAt(work, places)))
  if (refusal) await storeRest(work, places, refusal)
}

/** What is left of lines of which some were refused. */
async function storeRest(work: Work, places: readonly number[], refusal: Refusal): Promise<void> {
  const named = namedIn(refusal.text, linesAt(work, places))
  if (named.size === 0) return await storeHalves(work, places, refusal)
  for (const [i, why] of named) work.refused.set(places[i] as number, words(why))
  await storePlaces(
    work,
    places.filter((_, i) => !named.has(i)),
  )
}

const linesAt = ({ sent }: Work, places: readonly number[]): readonly SentLine[] =>
  places.map(place => sent.at(place))

/** Too much at once, or something in it is wrong and the server does not say what. */
async function storeHalves(work: Work, places: readonly number[], refusal: Refusal): Promise<void> {
  if (places.length === 1) {
    work.refused.set(places[0] as number, words(`${refusal.status} ${refusal.text}`))
    return
  }
  const middle = Math.ceil(places.length / 2)
  await storePlaces(work, places.slice(0, middle))
  await storePlaces(work, places.slice(middle))
}

/** One request. Returns a refusal that is about its lines; any other is thrown. */
async function sendOnce({ connection, bucket }: Work, sent: Lines): Promise<Refusal | undefined> {
  const text = sent.text()
  try {
    await (bucket === undefined ? connection.send(text) : connection.send(text, bucket))
    return undefined
  } catch (error) {
    const refusal = refusalOf(error)
    if (refusal && isAboutLines(refusal)) return refusal
    throw connection.error(error)
  }
}

/** What the server says where a line is wrong. Any other 400 is about the request, and no reason to bury a record. */
const aboutLines =
  /unable to parse|partial write|max key length|field type conflict|retention policy|time outside range/

const isAboutLines = ({ status, text }: Refusal): boolean =>
  status === 413 || ((status === 400 || status === 422) && aboutLines.test(text))
