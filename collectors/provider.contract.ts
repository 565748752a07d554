import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Credits } from '../core/brands.ts'
import { isOutcome } from '../core/outcomes.ts'
import { quoteId } from '../core/records.ts'
import { parseIso, toIso } from '../core/time.ts'
import { knownAssetRefs, pagesOf } from './assets.ts'
import { callOf } from './request.ts'
import { sourceOf } from './source.ts'
import type { Dataset, HttpAnswer, MappingContext, Page, Provider } from './provider.ts'
import { checkMutations } from './testing/mutation-check.ts'
import { bytesOf, judgeWell, keysOf, mapOrRefuse, sameKey, type Subject } from './testing/subject.ts'

export interface ProviderContract {
  readonly provider: Provider
  /** Id of the dataset; the first one unless told otherwise. */
  readonly dataset?: string
  /** What was asked; all known assets of the first page in USD (or the provider's first currency) unless told otherwise. */
  readonly page?: Page
  /** A good answer to that page, as the provider sends it, with a price for each of `prices`. */
  readonly body: string
  /**
   * Source id → the price's very digits in `body`. Where a source id has several records: `<source id>@<ISO time>`. Of metrics: the
   * metric's name. No other number of the body should have the same digits: a wrong field is told by them.
   */
  readonly prices: Readonly<Record<string, string>>
  /** Key of `prices` → ISO time of the record, where the body tells it. */
  readonly times?: Readonly<Record<string, string>>
  /** When the answer came; 2026-10-05T08:31:13Z unless told otherwise. */
  readonly receivedAt?: string
  /** The mapping checks each price against another number of the body, so that nothing put in its place alone comes through. */
  readonly isCrossChecked?: boolean
  /** A key of the form that the provider's header wants. */
  readonly key?: string
  /** The provider counts refused calls too (NOTES.md has the evidence). */
  readonly chargesRefusals?: boolean
}

const statuses = [
  201, 204, 206, 301, 302, 304, 400, 401, 402, 403, 404, 405, 408, 409, 410, 418, 422, 429, 451,
]
const serverStatuses = [500, 501, 502, 503, 504, 520, 522, 524, 530, 599]
const html = '<!DOCTYPE html><html><head><title>Maintenance</title></head><body>Back soon.</body></html>'
const garbage = [
  ...['', ' ', '[]', '{}', 'null', 'true', '0', '"x"', '[null]', '[[]]', '{"data":null}', '{"result":[]}'],
  ...[html, 'error code: 1015', 'upstream connect error', '{"data":[', '\u0000', '{"__proto__":{"price":1}}'],
  ...['{"data":{"__proto__":{"price":1}}}', '{"message":"x"}', '{"error":"x"}', '[1,2,3]', '{"a":NaN}'],
]

function subjectOf(contract: ProviderContract): Subject {
  const { provider, body, prices } = contract
  const dataset = provider.datasets.find(d => d.id === (contract.dataset ?? provider.datasets[0]?.id))
  const page = contract.page ?? (dataset && firstPage(provider, dataset))
  if (!dataset || !page) throw new Error(`${provider.id} has no such dataset or no asset`)
  const receivedAt = parseIso(contract.receivedAt ?? '2026-10-05T08:31:13Z')
  const run = { runId: 'run-1', receivedAt, revision: 0, credits: Credits(1), rawRef: 'raw-1' }
  const context: MappingContext = { provider: provider.id, dataset: dataset.id, page, origin: 'live', ...run }
  const keys = Object.keys(prices)
  const expected = new Map(keys.map(key => [sameKey(key), prices[key] ?? '']))
  const isSeries = keys.some(key => key.includes('@'))
  const { isCrossChecked = false } = contract
  return { dataset, context, body, prices: expected, isSeries, isCrossChecked }
}

const currencyOf = ({ currencies }: Provider): string =>
  !currencies || currencies.includes('USD') ? 'USD' : (currencies[0] ?? 'USD')

const firstPage = (provider: Provider, dataset: Dataset): Page | undefined =>
  pagesOf(dataset, knownAssetRefs(provider), currencyOf(provider))[0]

/** What every provider keeps, whatever its API looks like: call it once for each dataset. */
export function providerContract(contract: ProviderContract): void {
  const subject = subjectOf(contract)
  // A busy machine is no fault of a provider: nothing here has a bar of time.
  describe(`${contract.provider.id} ${subject.dataset.id}, the contract of providers`, {
    timeout: 120_000,
  }, () => {
    describeRequests(contract, subject)
    describeJudge(contract, subject)
    describeMap(contract, subject)
  })
}

function describeRequests(
  { provider, key = 'contract-key-3141592653' }: ProviderContract,
  subject: Subject,
): void {
  const { dataset, context } = subject
  const refs = knownAssetRefs(provider)
  const isWhole = dataset.kind === 'quotes' || (dataset.kind === 'market' && dataset.topMax === undefined)
  const pages = isWhole ? pagesOf(dataset, refs, context.page.currency) : [context.page]

  it('never puts the key into the URL or a plain header', () => {
    const ways = [
      dataset.access !== 'keyed' && provider.keyless && {},
      dataset.access !== 'keyless' && provider.keyed && { key },
    ].filter(way => typeof way === 'object')
    expect(ways.length).toBeGreaterThan(0)
    for (const way of ways)
      for (const page of pages) {
        const { source } = sourceOf(provider, way)
        const call = callOf(source, dataset.request(page), context.receivedAt)
        for (const form of [key, encodeURIComponent(key), Buffer.from(key).toString('base64')])
          expect(call.url + JSON.stringify(call.headers)).not.toContain(form)
        expect(call.secretHeader).toEqual(
          'key' in way ? source.access.authorize?.(key, context.receivedAt) : undefined,
        )
        expect(new URL(call.url).protocol).toBe('https:')
        expect(new URL(call.url).origin).toBe(new URL(source.access.baseUrl).origin)
      }
  })

  it.runIf(isWhole)('asks each known asset exactly once', () => {
    const asked = pages.flatMap(p => p.assets.map(a => a.sourceId))
    const own = refs.filter(ref => dataset.assets?.has(ref.asset) ?? true)
    expect(new Set(asked)).toEqual(new Set(own.map(ref => ref.sourceId)))
    expect(asked.length).toBe(own.length)
  })

  it('costs a whole number of credits, 0 or more', () => {
    for (const page of pages) expect(Credits(dataset.costMax(page))).toBeGreaterThanOrEqual(0)
  })
}

function describeJudge({ chargesRefusals = false }: ProviderContract, subject: Subject): void {
  const { body, context } = subject
  const answerOf = (bytes: Uint8Array, status = 200, headers = {}): HttpAnswer => {
    const { receivedAt } = context
    return { status, headers, body: bytes, receivedAt }
  }
  const truncated = body.trim().slice(0, Math.floor(body.trim().length / 2))

  it('judges any bytes without a throw, by an outcome of the list', () => {
    const headers = fc.record({ 'retry-after': fc.string(), date: fc.string() }, { requiredKeys: [] })
    const bodies = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.json().map(bytesOf),
      fc.constantFrom(...garbage).map(bytesOf),
    )
    fc.assert(
      fc.property(bodies, fc.integer({ min: 200, max: 599 }), headers, (bytes, status, sent) => {
        judgeWell(subject, answerOf(bytes, status, sent))
      }),
    )
  })

  it('calls no answer but a 200 an answer, and charges no 4xx', () => {
    expect(judgeWell(subject, answerOf(bytesOf(body)))).toMatchObject({ kind: 'answered' })
    for (const status of [...statuses, ...serverStatuses])
      for (const text of [body, truncated, ...garbage]) {
        const verdict = judgeWell(subject, answerOf(bytesOf(text), status))
        expect(verdict.kind, String(status)).toBe('refused')
        if (status >= 400 && status < 500 && !chargesRefusals)
          expect(verdict.charge, `${status} ${text.slice(0, 20)}`).toEqual({ kind: 'known', credits: 0 })
      }
  })

  it('knows a status by itself where the body says nothing', () => {
    for (const text of ['', html, 'upstream', truncated]) {
      const outcomeAt = (status: number) => {
        const verdict = judgeWell(subject, answerOf(bytesOf(text), status))
        return verdict.kind === 'refused' && isOutcome(verdict.outcome) ? verdict.outcome : 'answered'
      }
      for (const status of serverStatuses) expect(outcomeAt(status), String(status)).toBe('provider-error')
      expect(['unauthorized', 'bad-request']).toContain(outcomeAt(401))
      expect(['rate-limited', 'quota-exhausted']).toContain(outcomeAt(429))
      expect(['bad-request', 'provider-error', 'unauthorized']).toContain(outcomeAt(404))
    }
  })

  it('honours Retry-After of a 429 and a 503', () => {
    for (const status of [429, 503]) {
      const verdict = judgeWell(subject, answerOf(bytesOf('slow down'), status, { 'retry-after': '7200' }))
      const at = verdict.kind === 'refused' ? (verdict.retryAt ?? 0) : 0
      expect(at, String(status)).toBeGreaterThanOrEqual(context.receivedAt + 7_200_000_000)
    }
  })

  it('takes no page, no half answer and no other type for data, whatever HTTP 200 and the headers say', () => {
    const types = [{}, { 'content-type': 'application/json' }, { 'content-type': 'text/html' }]
    const trimmed = body.trim()
    const cuts = Array.from({ length: 40 }, (_, n) => trimmed.slice(0, Math.floor((trimmed.length * n) / 40)))
    for (const headers of types)
      for (const text of [...cuts, trimmed.slice(0, -1), ...garbage]) {
        judgeWell(subject, answerOf(bytesOf(text), 200, headers))
        const mapped = mapOrRefuse(subject, text)
        expect(mapped ? keysOf(mapped, subject.isSeries) : [], text.slice(0, 60)).toEqual([])
      }
    const packed = new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xab, 0xae, 5, 0])
    for (const bytes of [packed, new Uint8Array([0xff, 0xfe, 0x7b, 0]), new Uint8Array(200)]) {
      expect(judgeWell(subject, answerOf(bytes)).kind).toBe('refused')
      expect(mapOrRefuse(subject, bytes)).toBeUndefined()
    }
    for (const text of [html, '', truncated]) {
      expect(judgeWell(subject, answerOf(bytesOf(text))).kind, text.slice(0, 60)).toBe('refused')
      expect(mapOrRefuse(subject, text), text.slice(0, 60)).toBeUndefined()
    }
  })
}

function describeMap({ provider, times }: ProviderContract, subject: Subject): void {
  const { dataset, context, body, prices, isSeries } = subject

  it('keeps the digits, the same each time', () => {
    const mapped = dataset.map(bytesOf(body), context)
    const { records } = mapped
    expect(new Map(keysOf(mapped, isSeries))).toEqual(prices)
    expect(dataset.map(bytesOf(body), context)).toEqual(mapped)
    expect(new Set(records.map(quoteId)).size).toBe(records.length)
    const asked = new Map(context.page.assets.map(ref => [ref.asset, ref]))
    for (const record of records) {
      if (asked.size > 0) expect(asked.get(record.asset)?.sourceId).toBe(record.sourceId)
      const known = provider.assets.get(record.asset)
      expect(known ?? record.sourceId).toBe(record.sourceId)
    }
  })

  it('gives each record the run, the origin and the time that it came by', () => {
    const { records, metrics = [] } = dataset.map(bytesOf(body), context)
    const { receivedAt, runId, origin, rawRef, revision, credits } = context
    for (const record of [...records, ...metrics]) {
      const by = { provider: provider.id, receivedAt, runId, origin, rawRef, revision, credits }
      expect(record).toMatchObject(by)
      if (record.observedBy === 'receiver') expect(record.observedAt).toBe(receivedAt)
      expect(record.observedAt).toBeLessThanOrEqual(receivedAt + 300_000_000)
    }
    const told = new Map(
      [...records, ...metrics].map(r => {
        const name = 'name' in r ? r.name : isSeries ? `${r.sourceId}@${toIso(r.observedAt)}` : r.sourceId
        return [name, [toIso(r.observedAt), r.observedBy]]
      }),
    )
    for (const [key, time] of Object.entries(times ?? {}))
      expect(told.get(sameKey(key)), key).toEqual([toIso(parseIso(time)), 'source'])
  })

  it('gives the right price or none, whatever happens to the text', () => {
    const edits = fc.array(
      fc.record({
        at: fc.nat(body.length),
        cut: fc.nat(12),
        put: fc.constantFrom('', '"', ',', '{}', 'null', 'x', '\u0000', '[', ':true', '"prize"', '"a":'),
      }),
      { minLength: 1, maxLength: 3 },
    )
    fc.assert(
      fc.property(edits, changes => {
        const mapped = mapOrRefuse(subject, changes.reduce(edit, body))
        for (const [key, price] of mapped ? keysOf(mapped, isSeries) : [])
          expect([price], key).toContain(prices.get(key))
      }),
      { numRuns: 1_000 },
    )
  })

  it('gives the right price or none, and loses nothing in silence, whatever happens to the structure', () => {
    checkMutations(subject)
  })

  it('refuses what is no answer at all with the path of the first wrong place', () => {
    for (const text of ['', '"x"', '<html>', 'null', 'true', '7'])
      expect(mapOrRefuse(subject, text), text).toBeUndefined()
  })
}

/** Numbers and names are never cut, split or joined: what the body itself calls the price is right by every measure there is. */
function edit(text: string, { at, cut, put }: { at: number; cut: number; put: string }): string {
  if (/[0-9]/.test(text.slice(at - 1, at + cut + 1)) || /\w/.test(text.slice(at, at + cut))) return text
  return text.slice(0, at) + put + text.slice(at + cut)
}
