import type { DecimalString, EpochMicros } from '../../../core/brands.ts'
import { CryptosError } from '../../../core/errors.ts'
import { parseIso } from '../../../core/time.ts'
import { objectOf, priceOf, refusePayload, rowOf, timeOf } from '../../check.ts'
import { type Json, type JsonObject, parseExact } from '../../json.ts'
import { MappedRows, type Row } from '../../mapping.ts'
import type { AssetRef, Mapped, MappingContext } from '../../provider.ts'
import { refOfBase } from './assets.ts'
import { DailyCloses } from './daily-closes.ts'
import { dayOf } from './days.ts'
import { isWithin } from './decimals.ts'

/** `rate` was printed with 4 and, since August 2024, with 3 fraction digits: this far it may be from `rate_float` by rounding. */
const rateDigits = 3
/** The history stood still from here on; when it was back it gave USD whatever currency was asked. */
const usdOnlySince = parseIso('2022-07-10T00:00:00Z')
const bitcoin = refOfBase('BTC')

/** The index is of bitcoin alone: a body never names it. */
const askedRef = ({ page }: MappingContext): AssetRef => page.assets[0] ?? bitcoin

/** `bpi.<currency of the page>`: the price is `rate_float`, its time `time.updatedISO`. */
export function mapBpi(body: Uint8Array, context: MappingContext): Mapped {
  const root = rowOf(parseExact(body), '$')
  const bpi = objectOf(root.get('bpi'), '$.bpi')
  const rows = new MappedRows(context)
  rows.add(askedRef(context), () => readPrice(root, bpi, context))
  return rows.result()
}

function readPrice(root: JsonObject, bpi: JsonObject, context: MappingContext): Row {
  const ref = askedRef(context)
  const { currency } = context.page
  if (ref.sourceId !== bitcoin.sourceId) return { ref, none: 'the Bitcoin Price Index is of bitcoin only' }
  const path = `$.bpi.${currency}`
  const entry = rowOf(bpi, '$.bpi').get(currency)
  if (entry === undefined) return { ref, none: `no price in ${currency}` }
  const row = rowOf(entry, path)
  const code = row.get('code')
  if (code !== currency) refusePayload(`${path}.code`, `the text "${currency}"`, code)
  const time = rowOf(root.get('time'), '$.time')
  const observedAt = timeOf(time.get('updatedISO'), '$.time.updatedISO', context.receivedAt)
  const value = row.get('rate_float')
  if (value === null) return { ref, none: `the price in ${currency} is null` }
  const price = priceOf(value, `${path}.rate_float`)
  const rate = rateOf(row.get('rate'), `${path}.rate`)
  if (!isWithin(price, rate, rateDigits))
    return { ref, none: `rate ${rate} and rate_float ${price} disagree` }
  return { ref, currency, price, observedAt }
}

const ratePattern = /^(?:\d{1,3}(?:,\d{3})+|\d{1,15})(?:\.\d{1,12})?$/

/**
 * `57,756.2984` without its separators: only to check `rate_float` by, never a price. Any other way to write thousands is refused.
 * @throws CryptosError CRY_PROVIDER_PAYLOAD
 */
function rateOf(value: Json | undefined, path: string): DecimalString {
  if (typeof value !== 'string' || !ratePattern.test(value))
    return refusePayload(path, 'a rate like "57,756.2984"', value)
  return priceOf(value.replaceAll(',', ''), path)
}

/**
 * `bpi` by day, the closes of whole UTC days. The values have no currency; only the disclaimer names one, and in its last years the
 * API gave USD whatever was asked: a close in another currency counts only in an answer from before that, which names it.
 */
export function mapBpiHistory(body: Uint8Array, context: MappingContext): Mapped {
  const root = rowOf(parseExact(body), '$')
  const bpi = objectOf(root.get('bpi'), '$.bpi')
  const { currency } = context.page
  const ref = askedRef(context)
  const updatedAt = updatedOf(root, context)
  const doubt = ref.sourceId === bitcoin.sourceId ? doubtOf(root, currency, updatedAt) : 'of bitcoin only'
  if (doubt !== undefined)
    return { records: [], missing: [{ asset: ref.asset, sourceId: ref.sourceId, reason: doubt }] }
  const closes = new DailyCloses(context, ref, updatedAt ?? context.receivedAt)
  for (const [name, value] of bpi.members()) {
    const day = dayOf(name)
    if (day === undefined) closes.addError(badDay(name))
    else closes.add(day, () => priceOf(value, `$.bpi.${name}`))
  }
  return closes.result()
}

/** When the answer was made; undefined where it does not say. */
function updatedOf(root: JsonObject, context: MappingContext): EpochMicros | undefined {
  const time = root.get('time')
  if (time === undefined) return undefined
  return timeOf(rowOf(time, '$.time').get('updatedISO'), '$.time.updatedISO', context.receivedAt)
}

/** Why the closes can not be taken for prices in the asked currency; undefined = they can. */
function doubtOf(root: JsonObject, currency: string, updatedAt: EpochMicros | undefined): string | undefined {
  const disclaimer = root.get('disclaimer')
  const named = typeof disclaimer === 'string' ? /returned as ([A-Z]{3})\b/.exec(disclaimer)?.[1] : undefined
  if (named !== undefined && named !== currency) return `closes in ${named}, asked was ${currency}`
  if (currency === 'USD') return undefined
  if (named === undefined) return `nothing says that the closes are in ${currency}`
  return updatedAt !== undefined && updatedAt < usdOnlySince
    ? undefined
    : `the history gave USD whatever was asked in its last years: nothing proves that the closes are in ${currency}`
}

const badDay = (name: string): CryptosError =>
  new CryptosError('CRY_PROVIDER_PAYLOAD', `$.bpi: ${JSON.stringify(name.slice(0, 40))} is no day`)
