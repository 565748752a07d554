import type { InfluxConnection } from './connection.ts'
import { refusalOf, words } from './errors.ts'
import type { Refusal } from './errors.ts'
import { namedIn } from './partial.ts'
import type { SentLine } from './partial.ts'

/** A line that the server will never take, by its place, with its reason. */
export type Refused = Map<number, string>

/**
 * Stores lines and resolves when each of them is either on the server's disk (all of the rest came back with one 2xx) or refused for
 * good. Lines that were stored before are sent again where the server does not say which they were: that changes nothing.
 * @throws CryptosError CRY_SERVER_*, CRY_DISK_FULL: then nobody knows which are stored
 */
export async function storeLines(
  connection: InfluxConnection,
  sent: readonly SentLine[],
  bucket?: string,
): Promise<Refused> {
  const refused: Refused = new Map()
  const places = sent.map((_, place) => place)
  await storePlaces({ connection, sent, bucket, refused }, places)
  return refused
}

interface Work {
  readonly connection: InfluxConnection
  readonly sent: readonly SentLine[]
  readonly bucket: string | undefined
  readonly refused: Refused
}

async function storePlaces(work: Work, places: readonly number[]): Promise<void> {
  let rest = places
  while (rest.length > 0) {
    const refusal = await sendOnce(work, rest)
    if (refusal === undefined) return
    const sent = rest.map(place => work.sent[place] as SentLine)
    const named = namedIn(refusal.text, sent)
    if (named.size === 0) return await storeHalves(work, rest, refusal)
    for (const [i, why] of named) work.refused.set(rest[i] as number, words(why))
    rest = rest.filter((_, i) => !named.has(i))
  }
}

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
async function sendOnce(
  { connection, sent, bucket }: Work,
  places: readonly number[],
): Promise<Refusal | undefined> {
  const lines = places.map(place => sent[place]?.line ?? '')
  try {
    await (bucket === undefined ? connection.send(lines) : connection.send(lines, bucket))
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
