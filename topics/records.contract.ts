import fc from 'fast-check'
import type { AssetId, Credits, DecimalString, EpochMicros, ProviderId } from '../core/brands.ts'
import { quotaEventKinds } from '../core/records.ts'
import type { DeadLetter, QuotaEvent, Quote } from '../core/records.ts'

/** Records that every codec, broker and sink must take. Decimals as providers write them: up to 38 digits, trailing zeros, exponents of either sign and letter. */
const digits = (max: number): fc.Arbitrary<string> => fc.stringMatching(new RegExp(`^\\d{1,${max}}$`))
const wholePart = fc.oneof(fc.constant('0'), fc.stringMatching(/^[1-9]\d{0,18}$/))
const exponent = fc.oneof(
  fc.constant(''),
  fc
    .tuple(fc.constantFrom('e', 'E'), fc.constantFrom('', '+', '-'), fc.integer({ min: 0, max: 30 }))
    .map(p => p.join('')),
)
export const positiveDecimals: fc.Arbitrary<DecimalString> = fc
  .tuple(wholePart, fc.option(digits(19)), exponent)
  .map(([w, f, e]) => `${w}${f === null ? '' : `.${f}`}${e}` as DecimalString)
export const anyDecimals = fc
  .tuple(fc.constantFrom('', '-'), positiveDecimals)
  .map(([sign, d]) => `${sign}${d}` as DecimalString)

export const micros = fc.integer({ min: 0, max: 4_000_000_000_000_000 }).map(n => n as EpochMicros)
export const printable = (maxLength: number): fc.Arbitrary<string> =>
  fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: Math.floor(maxLength / 8) })
    .filter(s => s.length <= maxLength && !/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u.test(s))

export const quotes: fc.Arbitrary<Quote> = fc.record(
  {
    kind: fc.constant('quote' as const),
    provider: fc.constantFrom('kraken', 'coinbase', 'coinmarketcap').map(p => p as ProviderId),
    asset: fc.constantFrom('bitcoin', 'pax-gold', 'coinmarketcap:32994').map(a => a as AssetId),
    symbol: printable(64),
    sourceId: printable(128),
    currency: fc.constantFrom('USD', 'EUR', 'USDT', '1INCH.x'),
    price: positiveDecimals,
    marketCap: positiveDecimals,
    volume24h: positiveDecimals,
    supply: positiveDecimals,
    change24h: anyDecimals,
    observedAt: micros,
    observedBy: fc.constantFrom('source' as const, 'receiver' as const),
    receivedAt: micros,
    revision: fc.nat(1_000),
    origin: fc.constantFrom('live' as const, 'backfill' as const, 'replay' as const, 'sandbox' as const),
    runId: printable(128),
    credits: fc.nat(10_000).map(n => n as Credits),
    rawRef: printable(128),
  },
  {
    noNullPrototype: true,
    requiredKeys: [
      'kind',
      'provider',
      'asset',
      'symbol',
      'sourceId',
      'currency',
      'price',
      'observedAt',
      'observedBy',
      'receivedAt',
      'revision',
      'origin',
      'runId',
      'credits',
      'rawRef',
    ],
  },
)

export const quotaEvents: fc.Arbitrary<QuotaEvent> = fc.record(
  {
    kind: fc.constant('quota-event' as const),
    ledger: printable(64),
    sequence: fc.nat(),
    scope: printable(64),
    provider: fc.constant('kraken' as ProviderId),
    at: micros,
    what: fc.constantFrom(...quotaEventKinds),
    why: fc.string({ maxLength: 200 }),
    credits: fc.integer({ min: -1_000, max: 1_000 }),
    slot: printable(64),
    window: fc.constantFrom('minute' as const, 'day' as const, 'month' as const, 'none' as const),
    limit: fc.option(fc.nat()),
    used: fc.nat(),
    reserved: fc.nat(),
    resetsAt: fc.option(micros),
  },
  {
    noNullPrototype: true,
    requiredKeys: [
      'kind',
      'ledger',
      'sequence',
      'scope',
      'provider',
      'at',
      'what',
      'why',
      'credits',
      'window',
      'limit',
      'used',
      'reserved',
      'resetsAt',
    ],
  },
)

export const deadLetters: fc.Arbitrary<DeadLetter> = fc.record(
  {
    kind: fc.constant('dead-letter' as const),
    id: printable(128),
    stage: printable(64),
    topic: fc.constantFrom('market.quotes.v1', ''),
    partition: fc.integer({ min: -1, max: 20 }),
    offset: fc.integer({ min: -1, max: 1_000_000 }),
    code: fc.constant('CRY_RECORD_INVALID'),
    reason: fc.string({ maxLength: 200 }),
    at: micros,
    bytes: fc.uint8Array({ maxLength: 300 }).map(b => Buffer.from(b).toString('base64')),
    headers: fc
      .array(fc.tuple(fc.oneof(fc.string(), fc.constant('__proto__')), fc.string()), { maxLength: 10 })
      .map(entries => Object.fromEntries(entries)),
  },
  { noNullPrototype: true },
)
