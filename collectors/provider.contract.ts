import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Credits } from '../core/brands.ts'
import { isOutcome } from '../core/outcomes.ts'
import { quoteId } from '../core/records.ts'
import { parseIso } from '../core/time.ts'
import { knownAssetRefs, pagesOf } from './assets.ts'
import { callOf } from './request.ts'
import { sourceOf } from './source.ts'
import type { Dataset, HttpAnswer, Mapped, MappingContext, Page, Provider } from './provider.ts'

export interface ProviderContract {
  readonly provider: Provider
  /** A good answer to a page of all known assets, as the provider sends it, with a price for each of `prices`. */
  readonly body: string
  /** Source id → the price's very digits in `body`; each text stands in it exactly as often as there are such prices. */
  readonly prices: Readonly<Record<string, string>>
}

const receivedAt = parseIso('2026-10-05T08:31:13Z')
const key = 'contract-key-3141592653'
const utf8 = new TextEncoder()

const answerOf = (body: Uint8Array, status = 200, headers = {}): HttpAnswer => ({
  status,
  headers,
  body,
  receivedAt,
})

function contextFor(provider: Provider, dataset: Dataset, page: Page): MappingContext {
  const run = { runId: 'run-1', receivedAt, revision: 0, credits: Credits(1), rawRef: 'raw-1' }
  return { provider: provider.id, dataset: dataset.id, page, origin: 'live', ...run }
}

/** Maps, or gives undefined for a refusal; anything but a refusal of ours is a failure. */
function mapOrRefuse(dataset: Dataset, body: string, context: MappingContext): Mapped | undefined {
  try {
    return dataset.map(utf8.encode(body), context)
  } catch (error) {
    expect(error).toMatchObject({ name: 'CryptosError', code: 'CRY_PROVIDER_PAYLOAD' })
    return undefined
  }
}

/** What every provider keeps, whatever its API looks like. */
export function providerContract({ provider, body, prices }: ProviderContract): void {
  const [dataset] = provider.datasets
  const page = dataset && pagesOf(dataset, knownAssetRefs(provider), 'USD')[0]
  if (!dataset || !page) throw new Error(`${provider.id} has no dataset or no asset`)
  const context = contextFor(provider, dataset, page)
  const expected = new Map(Object.entries(prices))

  describe(`${provider.id}, the contract of providers`, () => {
    it('never puts the key into the URL or a plain header', () => {
      for (const options of [provider.keyless && {}, provider.keyed && { key }])
        if (options)
          for (const page of pagesOf(dataset, knownAssetRefs(provider), 'USD')) {
            const call = callOf(sourceOf(provider, options).source, dataset.request(page), receivedAt)
            expect(call.url + JSON.stringify(call.headers)).not.toContain(key)
            expect(call.secretHeader?.value).toBe('key' in options ? key : undefined)
            expect(new URL(call.url).protocol).toBe('https:')
          }
    })

    it('asks each known asset exactly once', () => {
      const asked = pagesOf(dataset, knownAssetRefs(provider), 'USD').flatMap(p =>
        p.assets.map(a => a.sourceId),
      )
      expect(new Set(asked)).toEqual(new Set(provider.assets.values()))
      expect(asked.length).toBe(provider.assets.size)
    })

    it('judges any bytes without a throw, by an outcome of the list', () => {
      const headers = fc.record({ 'retry-after': fc.string(), date: fc.string() }, { requiredKeys: [] })
      const bodies = fc.oneof(
        fc.uint8Array({ maxLength: 60 }),
        fc.json().map(t => utf8.encode(t)),
      )
      fc.assert(
        fc.property(bodies, fc.integer({ min: 200, max: 599 }), headers, (bytes, status, sent) => {
          const verdict = dataset.judge(answerOf(bytes, status, sent), page)
          if (verdict.kind === 'refused') expect(isOutcome(verdict.outcome)).toBe(true)
        }),
      )
    })

    it('calls no answer but a 200 an answer, and charges no 4xx', () => {
      expect(dataset.judge(answerOf(utf8.encode(body)), page)).toMatchObject({ kind: 'answered' })
      for (const status of [301, 400, 401, 404, 429, 500, 503]) {
        const verdict = dataset.judge(answerOf(utf8.encode(body), status), page)
        expect(verdict.kind, String(status)).toBe('refused')
        if (status >= 400 && status < 500) expect(verdict.charge).toEqual({ kind: 'known', credits: 0 })
      }
      for (const text of ['<html>maintenance</html>', '', '[]', '{}', body.slice(0, body.length / 2)])
        expect(dataset.judge(answerOf(utf8.encode(text), 503), page)).toMatchObject({
          outcome: 'provider-error',
        })
    })

    it('keeps the digits, the same each time', () => {
      const { records } = dataset.map(utf8.encode(body), context)
      expect(new Map(records.map(r => [r.sourceId, r.price]))).toEqual(expected)
      const again = dataset.map(utf8.encode(body), context)
      expect(again.records).toEqual(records)
      expect(new Set(records.map(quoteId)).size).toBe(records.length)
      for (const record of records) expect(provider.assets.get(record.asset)).toBe(record.sourceId)
    })

    it('gives the right price or none, whatever happens to a body', () => {
      const { length } = body
      const edits = fc.array(
        fc.record({
          at: fc.nat(length),
          cut: fc.nat(12),
          put: fc.constantFrom('', '"', ',', '{}', 'null', 'x', '\u0000', '[', ':true', '"prize"', '"a":'),
        }),
        { minLength: 1, maxLength: 3 },
      )
      const digits = /[0-9]/
      fc.assert(
        fc.property(edits, changes => {
          // Digits are never edited and no other field is named price: a number that the body itself calls the price is right
          // by every measure there is.
          const changed = changes.reduce((text, { at, cut, put }) => {
            const safe = digits.test(text.slice(at - 1, at + cut + 1)) ? 0 : cut
            return safe === 0 && cut > 0 ? text : text.slice(0, at) + put + text.slice(at + safe)
          }, body)
          const mapped = mapOrRefuse(dataset, changed, context)
          for (const { sourceId, price } of mapped?.records ?? [])
            expect([price]).toContain(expected.get(sourceId))
        }),
        { numRuns: 2_000 },
      )
    })

    it('refuses what is no answer at all with the path of the first wrong place', () => {
      for (const text of ['', '[]', '{}', 'null', '"x"', '<html>', '{"data":null}', '{"result":[]}'])
        expect(mapOrRefuse(dataset, text, context), text).toBeUndefined()
    })
  })
}
