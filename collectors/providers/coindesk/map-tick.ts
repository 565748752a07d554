import { EpochMicros } from '../../../core/brands.ts'
import { DAY, MINUTE } from '../../../core/time.ts'
import { objectOf, priceOf, refusePayload, rowOf, wholeOf } from '../../check.ts'
import { type Json, JsonObject, parseExact } from '../../json.ts'
import { excerpt } from '../../judging.ts'
import { MappedRows, type Row } from '../../mapping.ts'
import type { AssetRef, Mapped, MappingContext } from '../../provider.ts'
import { instrumentOf, refOfBase, splitInstrument } from './assets.ts'
import { expectText, market, refused } from './data-checks.ts'
import { firstDay } from './days.ts'

const daySeconds = DAY / 1_000
const aheadMicros = 5 * MINUTE * 1_000

/** `Data` by instrument: the price is `VALUE`, its time `VALUE_LAST_UPDATE_TS` and `…_NS`. */
export function mapTick(body: Uint8Array, context: MappingContext): Mapped {
  const root = rowOf(parseExact(body), '$')
  const data = objectOf(root.get('Data'), '$.Data')
  const { assets, currency } = context.page
  if (assets.length === 0) return mapSaved(data, context)
  const rows = new MappedRows(context)
  const members = data.members()
  for (const ref of assets) {
    const instrument = instrumentOf(ref.sourceId, currency)
    const values = members.filter(([name]) => name === instrument)
    const none = `${instrument} is not in the answer${errorOf(root)}`
    if (values.length === 0) rows.add(ref, () => ({ ref, none }))
    for (const [, value] of values) rows.add(ref, () => readTick({ ref, instrument, value }, context))
  }
  return rows.result()
}

/** All that a saved body holds, in whatever currencies: an asset has one price in each. */
function mapSaved(data: JsonObject, context: MappingContext): Mapped {
  const byCurrency = new Map<string, Tick[]>()
  for (const [instrument, value] of data.members()) {
    const parts = splitInstrument(instrument)
    if (!parts) continue
    const ticks = byCurrency.get(parts.currency) ?? []
    byCurrency.set(parts.currency, [...ticks, { ref: refOfBase(parts.base), instrument, value }])
  }
  if (byCurrency.size === 0) refusePayload('$.Data', 'instruments like BTC-USD', data)
  const mapped = [...byCurrency.values()].map(ticks => refused(() => mapTicks(ticks, context)))
  const [failure] = mapped.filter(m => m instanceof Error)
  const good = mapped.filter((m): m is Mapped => !(m instanceof Error))
  if (failure && good.length === 0) throw failure
  return { records: good.flatMap(m => m.records), missing: good.flatMap(m => m.missing) }
}

function mapTicks(ticks: readonly Tick[], context: MappingContext): Mapped {
  const rows = new MappedRows(context)
  for (const tick of ticks) rows.add(tick.ref, () => readTick(tick, context))
  return rows.result()
}

interface Tick {
  readonly ref: AssetRef
  readonly instrument: string
  readonly value: Json
}

function readTick({ ref, instrument, value }: Tick, context: MappingContext): Row {
  const path = `$.Data.${instrument}`
  if (value === null) return { ref, none: `${instrument} is null` }
  const tick = rowOf(value, path)
  // Asked for without the group ID, a tick does not say what it is; where it says so it has to be this one.
  expectText(tick, 'INSTRUMENT', { wanted: instrument, path, optional: true })
  expectText(tick, 'MARKET', { wanted: market, path, optional: true })
  const price = tick.get('VALUE')
  if (price === null) return { ref, none: `the value of ${instrument} is null` }
  return {
    ref,
    currency: splitInstrument(instrument)?.currency ?? context.page.currency,
    price: priceOf(price, `${path}.VALUE`),
    observedAt: tickTimeOf(tick, path, context.receivedAt),
  }
}

/** Whole seconds and the nanoseconds beside them, from 2010 to 5 minutes after we received it; undefined where the tick has no time. */
function tickTimeOf(tick: JsonObject, path: string, receivedAt: EpochMicros): EpochMicros | undefined {
  const seconds = tick.get('VALUE_LAST_UPDATE_TS')
  if (seconds === undefined) return undefined
  const nanos = tick.get('VALUE_LAST_UPDATE_TS_NS') ?? null
  const whole = wholeOf(seconds)
  const part = nanos === null ? 0 : wholeOf(nanos)
  if (whole === undefined) return refusePayload(`${path}.VALUE_LAST_UPDATE_TS`, 'seconds', seconds)
  if (part === undefined || part >= 1e9)
    return refusePayload(`${path}.VALUE_LAST_UPDATE_TS_NS`, 'nanoseconds of a second', nanos)
  const micros = whole * 1e6 + Math.floor(part / 1_000)
  if (whole < firstDay * daySeconds || micros > receivedAt + aheadMicros)
    return refusePayload(`${path}.VALUE_LAST_UPDATE_TS`, 'a time from 2010 to now', seconds)
  return EpochMicros(micros)
}

/** What `Err` says beside the data, for a reason. */
function errorOf(root: JsonObject): string {
  const error = root.get('Err')
  const message = error instanceof JsonObject ? error.get('message') : undefined
  return typeof message === 'string' ? `: ${excerpt(message)}` : ''
}
