import type { AssetId, Credits, DecimalString, EpochMicros, ProviderId } from '../../core/brands.ts'
import type { Origin, Quote } from '../../core/records.ts'

// Printable ASCII that JSON writes as it is. Lengths are checked afterwards: a counted repeat is slow.
const word = '([ !#-\\[\\]-~]+)'
// A part of what a decimal may be: no exponent, and never over the 80 characters.
const decimal = '((?:0|[1-9]\\d{0,39})(?:\\.\\d{1,38})?)'
const signed = '(-?(?:0|[1-9]\\d{0,38})(?:\\.\\d{1,38})?)'
const whole = '(0|[1-9]\\d{0,15})'
const optional = (name: string, pattern: string): string => `(?:"${name}":"${pattern}",)?`

/** The one order of fields in which our own encoder writes, without blanks or escapes. */
const pattern = new RegExp(
  [
    '^\\{"kind":"quote","provider":"([a-z][a-z0-9-]{0,31})",',
    '"asset":"([a-z0-9][a-z0-9-]{0,63}(?::[A-Za-z0-9._-]{1,64})?)",',
    `"symbol":"${word}","sourceId":"${word}","currency":"([A-Za-z0-9][A-Za-z0-9._-]{0,19})","price":"${decimal}",`,
    optional('marketCap', decimal),
    optional('volume24h', decimal),
    optional('supply', decimal),
    optional('change24h', signed),
    `"observedAt":${whole},"observedBy":"(source|receiver)","receivedAt":${whole},"revision":${whole},`,
    `"origin":"(live|backfill|replay|sandbox)","runId":"${word}","credits":${whole},"rawRef":"${word}"\\}$`,
  ].join(''),
)

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

/**
 * Reads a quote that is written exactly as our encoder writes it: one match checks all its fields and finds them, which costs less than
 * parsing the JSON alone. Anything else is undefined, and the caller reads it field by field; it is never more lenient than that.
 */
export function canonicalQuote(text: string): Quote | undefined {
  const found = pattern.exec(text)
  if (!found) return undefined
  const [symbol, sourceId] = [found[3] ?? '', found[4] ?? '']
  const [runId, rawRef] = [found[16] ?? '', found[18] ?? '']
  if (symbol.length > 64 || sourceId.length > 128 || runId.length > 256 || rawRef.length > 512)
    return undefined
  const [observedAt, receivedAt] = [Number(found[11]), Number(found[13])]
  const [revision, credits] = [Number(found[14]), Number(found[17])]
  const safe = Number.MAX_SAFE_INTEGER
  if (observedAt > safe || receivedAt > safe || revision > safe || credits > safe) return undefined
  const quote: Writable<Quote> = {
    kind: 'quote',
    provider: found[1] as ProviderId,
    asset: found[2] as AssetId,
    symbol,
    sourceId,
    currency: found[5] ?? '',
    price: found[6] as DecimalString,
    observedAt: observedAt as EpochMicros,
    observedBy: found[12] as Quote['observedBy'],
    receivedAt: receivedAt as EpochMicros,
    revision,
    origin: found[15] as Origin,
    runId,
    credits: credits as Credits,
    rawRef,
  }
  // Not spread into it: this runs for every record that is read.
  const [cap, volume, supply, change] = [found[7], found[8], found[9], found[10]]
  if (cap !== undefined) quote.marketCap = cap as DecimalString
  if (volume !== undefined) quote.volume24h = volume as DecimalString
  if (supply !== undefined) quote.supply = supply as DecimalString
  if (change !== undefined) quote.change24h = change as DecimalString
  return quote
}
