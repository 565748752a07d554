import { describe, expect, it } from 'vitest'
import { AssetId, Credits, ProviderId } from '../../core/brands.ts'
import { CryptosError } from '../../core/errors.ts'
import { addMs, DAY, parseIso } from '../../core/time.ts'
import { arrayOf, objectOf, priceOf, textOf } from '../check.ts'
import { type JsonObject, JsonNumber, parseExact } from '../json.ts'
import { MappedRows, type Reading } from '../mapping.ts'
import { asDayClose, mapHistory } from '../mapping-history.ts'
import type { Dataset, Mapped, MappingContext } from '../provider.ts'
import { checkMutations } from './mutation-check.ts'
import { pathOf, placesOf, readTree, writeTree } from './json-tree.ts'
import { judgeWell, type Subject } from './subject.ts'

const refs = ['a', 'b', 'c'].map(id => ({ asset: AssetId(`asset-${id}`), symbol: id, sourceId: id }))
const receivedAt = parseIso('2026-10-05T08:31:13Z')
const context: MappingContext = {
  ...{
    provider: ProviderId('example'),
    dataset: 'quotes',
    page: { assets: refs, currency: 'USD' },
    origin: 'live',
  },
  ...{ runId: 'r', receivedAt, revision: 0, credits: Credits(0), rawRef: 'raw' },
}
const body =
  '{"rows":[{"id":"a","price":"1.50","ask":"1.51","last":["1.52","9.5"]},{"id":"b","price":2.5e-3,"ask":2.6e-3,"last":["3","4"]},{"id":"c","price":null,"ask":null,"last":["5","6"]}]}'
const prices = new Map([
  ['a', '1.50'],
  ['b', '2.5e-3'],
])

type ReadRow = (row: JsonObject, path: string) => Omit<Reading, 'ref' | 'currency' | 'observedAt'>
const good: ReadRow = (row, path) => ({ price: priceOf(row.get('price'), `${path}.price`) })

/** A careful map with the reading of a row as a parameter. */
const mapBy =
  (read: ReadRow) =>
  (bytes: Uint8Array, at: MappingContext): Mapped => {
    const rows = new MappedRows(at)
    arrayOf(objectOf(parseExact(bytes), '$').get('rows'), '$.rows').forEach((value, index) => {
      const path = `$.rows[${index}]`
      try {
        const row = objectOf(value, path)
        const id = textOf(row.get('id'), `${path}.id`)
        const ref = refs.find(r => r.sourceId === id)
        if (ref) rows.add(ref, () => ({ ref, currency: 'USD', observedAt: undefined, ...read(row, path) }))
      } catch (error) {
        rows.addError(error)
      }
    })
    return rows.result()
  }

const subjectWith = (map: Dataset['map'], more: Partial<Subject> = {}): Subject => {
  const own: Dataset = {
    ...{ id: 'quotes', kind: 'quotes', doc: '', pageSize: 9, refreshMs: 1, intervalMs: 1, map },
    costMax: () => Credits(0),
    request: () => ({ path: '/', query: {}, headers: {} }),
    judge: () => ({ kind: 'answered', charge: { kind: 'known', credits: Credits(0) } }),
  }
  return { dataset: own, context, body, prices, isSeries: false, ...more }
}

const numberOf = (row: JsonObject, name: string): string => {
  const value = row.get(name)
  return value instanceof JsonNumber ? value.text : String(value)
}

const bad: Readonly<Record<string, readonly [map: Dataset['map'], told: RegExp]>> = {
  'falls back to another field': [
    mapBy((row, path) => ({ price: priceOf(row.get('price') ?? row.get('ask'), `${path}.price`) })),
    /a wrong price: a is 1\.51, not 1\.50/,
  ],
  'reads a place of an array that may have moved': [
    mapBy((row, path) => {
      const first = arrayOf(row.get('last'), path)
      return first.length < 2 ? { price: priceOf(first[0], path) } : good(row, path)
    }),
    /a wrong price/,
  ],
  'drops rows without a word': [
    (bytes, at) => ({ ...mapBy(good)(bytes, at), missing: [] }),
    /[abc] was lost without a word/,
  ],
  'gives no reason': [
    (bytes, at) => {
      const mapped = mapBy(good)(bytes, at)
      return { ...mapped, missing: mapped.missing.map(m => ({ ...m, reason: '' })) }
    },
    /missing without a reason/,
  ],
  rounds: [
    mapBy(row => ({ price: String(Number(numberOf(row, 'price'))) as never })),
    /a wrong price: a is 1\.5,|a wrong price: c is/,
  ],
  'guesses at thousands separators': [
    mapBy((row, path) => {
      const price = row.get('price')
      return { price: priceOf(typeof price === 'string' ? price.replaceAll(',', '') : (price ?? null), path) }
    }),
    /1,234\.56.*a wrong price: a is 1234\.56/,
  ],
  'lets a zero and a negative price through': [
    mapBy(row => ({ price: numberOf(row, 'price') as never })),
    /a wrong price/,
  ],
  'throws what is none of ours': [
    mapBy((row, path) => {
      if (typeof row.get('ask') === 'boolean') throw new TypeError('x is not a function')
      return good(row, path)
    }),
    /something else than CRY_PROVIDER_PAYLOAD/,
  ],
  'throws another code': [
    bytes => {
      throw new CryptosError('CRY_INTERNAL', String(bytes.length))
    },
    /something else than CRY_PROVIDER_PAYLOAD/,
  ],
  'knows rows by their place': [
    (bytes, at) => {
      const rows = new MappedRows(at)
      arrayOf(objectOf(parseExact(bytes), '$').get('rows'), '$.rows').forEach((value, index) => {
        const ref = refs[index]
        const path = `$.rows[${index}]`
        if (ref)
          rows.add(ref, () => ({
            ref,
            currency: 'USD',
            observedAt: undefined,
            ...good(objectOf(value, path), path),
          }))
      })
      return rows.result()
    },
    /a wrong price: a is 2\.5e-3/,
  ],
  'merges members into a plain object': [
    (bytes, at) => {
      const mapped = mapBy(good)(bytes, at)
      // Only a name of our own is polluted here, and it is taken away again below.
      if (new TextDecoder().decode(bytes).includes('"__proto__"'))
        Object.defineProperty(Object.prototype, 'pollutedByTest', { value: 1, configurable: true })
      return mapped
    },
    /Object\.prototype was changed/,
  ],
}

describe('the check of spoiled bodies', { timeout: 120_000 }, () => {
  it('lets a careful map pass', () => {
    checkMutations(subjectWith(mapBy(good)))
  })

  it.each(Object.entries(bad))('catches a map that %s', (_, [map, told]) => {
    try {
      expect(() => checkMutations(subjectWith(map))).toThrow(told)
    } finally {
      Reflect.deleteProperty(Object.prototype, 'pollutedByTest')
    }
  })

  it('catches a history that loses a day without a word', () => {
    const day = (n: number) => parseIso(`2026-10-0${n}T23:59:59.999Z`)
    const history = '{"id":"a","days":[["2026-10-01","1.25"],["2026-10-02","1.35"]]}'
    const mapHistory =
      (tells: boolean): Dataset['map'] =>
      (bytes, at) => {
        const ref = refs[0]
        if (!ref) throw new Error('no asset')
        const quotes = new Map<string, Mapped['records'][number]>()
        const missing: { asset: AssetId; sourceId: string; reason: string }[] = []
        const days = arrayOf(objectOf(parseExact(bytes), '$').get('days'), '$.days')
        days.forEach((value, index) => {
          try {
            const [date, price, more] = arrayOf(value, `$.days[${index}]`)
            const which = /^2026-10-0([12])$/.exec(textOf(date, 'date'))?.[1]
            if (which === undefined || more !== undefined)
              throw new CryptosError('CRY_PROVIDER_PAYLOAD', 'no day')
            const read = { ref, currency: 'USD', price: priceOf(price, 'p'), observedAt: day(Number(which)) }
            const rows = new MappedRows(at)
            rows.add(ref, () => read)
            for (const record of rows.result().records) quotes.set(which, quotes.get(which) ?? record)
          } catch (error) {
            if (!(error instanceof CryptosError)) throw error
            missing.push({ asset: ref.asset, sourceId: ref.sourceId, reason: error.message })
          }
        })
        if (quotes.size === 0) throw new CryptosError('CRY_PROVIDER_PAYLOAD', '$.days: nothing')
        return { records: [...quotes.values()], missing: tells ? missing : [] }
      }
    const series = {
      ...{ body: history, isSeries: true },
      context: { ...context, page: { assets: refs.slice(0, 1), currency: 'USD' } },
      prices: new Map([
        ['a@2026-10-01T23:59:59.999Z', '1.25'],
        ['a@2026-10-02T23:59:59.999Z', '1.35'],
      ]),
    }
    checkMutations(subjectWith(mapHistory(true), series))
    expect(() => checkMutations(subjectWith(mapHistory(false), series))).toThrow(
      /@2026-10-0\dT.* was lost without/,
    )
  })

  it('catches a history that drops a row without a word', () => {
    const history = '{"days":[["2026-10-01","1.25"],["2026-10-02","1.35"],["2026-10-03","1.45"]]}'
    const range = { from: parseIso('2026-10-01T00:00:00Z'), to: parseIso('2026-10-05T00:00:00Z') }
    const close = (date: string) => asDayClose(addMs(parseIso(`${date}T00:00:00Z`), DAY))
    const careful: Dataset['map'] = (bytes, at) => {
      const days = arrayOf(objectOf(parseExact(bytes), '$').get('days'), '$.days')
      const reads = days.map((value, index) => () => {
        const [date, price, more] = arrayOf(value, `$.days[${index}]`)
        const text = textOf(date, 'date')
        if (!/^2026-10-0[1-4]$/.test(text) || more !== undefined)
          throw new CryptosError('CRY_PROVIDER_PAYLOAD', 'no day')
        return { observedAt: close(text), price: priceOf(price, 'p') }
      })
      return mapHistory(reads, at, DAY)
    }
    // As the mapping was once: of a row that is not there nothing is said; and one that always says the same.
    const says =
      (reason: RegExp): Dataset['map'] =>
      (bytes, at) => {
        const mapped = careful(bytes, at)
        return { ...mapped, missing: mapped.missing.filter(m => reason.test(m.reason)) }
      }
    const always: Dataset['map'] = (bytes, at) => {
      const mapped = careful(bytes, at)
      return { ...mapped, missing: mapped.missing.map(m => ({ ...m, reason: 'some days' })) }
    }
    const series = {
      ...{ body: history, isSeries: true },
      context: { ...context, page: { assets: refs.slice(0, 1), currency: 'USD', range } },
      prices: new Map(['1.25', '1.35', '1.45'].map((p, n) => [`a@2026-10-0${n + 1}T23:59:59.999Z`, p])),
    }
    checkMutations(subjectWith(careful, series))
    const dropped = /(is gone|lacks its last item|has its first item only).*@2026-10-0\dT.* was lost without/
    expect(() =>
      checkMutations(subjectWith(says(/could not be read|have no price|no point/), series)),
    ).toThrow(dropped)
    expect(() => checkMutations(subjectWith(always, series))).toThrow(/@2026-10-0\dT.* was lost without/)
  })

  it('catches a map that does not look at the currency', () => {
    const labelled = body.replaceAll('"price":', '"currency":"USD","price":')
    const looks: ReadRow = (row, path) => {
      if (row.get('currency') !== 'USD') throw new CryptosError('CRY_PROVIDER_PAYLOAD', `${path}.currency`)
      return good(row, path)
    }
    checkMutations(subjectWith(mapBy(looks), { body: labelled }))
    expect(() => checkMutations(subjectWith(mapBy(good), { body: labelled }))).toThrow(
      /says XTS: a was taken for USD/,
    )
  })

  it('judges verdicts', () => {
    const answer = { status: 503, headers: {}, body: new Uint8Array(), receivedAt }
    expect(() => judgeWell(subjectWith(mapBy(good)), answer)).toThrow(/HTTP 503 is called an answer/)
  })

  it('writes a tree as it was read, with the digits and two members of one name', () => {
    for (const text of [body, '[1.50,1e400,-0,"\\u0000é",{"__proto__":{"x":[]}},true,null,{}]'])
      expect(JSON.stringify(readTree(writeTree(readTree(text))))).toBe(JSON.stringify(readTree(text)))
    expect(writeTree(readTree(body))).toBe(body)
    expect(placesOf(readTree('{"a":[1]}')).map(pathOf)).toEqual(['$.a', '$.a[0]'])
  })
})
