import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { EpochMicros } from '../core/brands.ts'
import { parseIso } from '../core/time.ts'
import { type BodyChange, bodyChanges, changeBody, type ChangeSpec } from './body-changes.ts'
import { parseTree, printTree } from './body-tree.ts'
import { checkFault } from './fault-check.ts'
import type { ServedValue } from './types.ts'

const at = parseIso('2026-11-21T12:00:30Z')
const quoteTime = parseIso('2026-11-21T11:59:03Z')
const value = (sourceId: string, price: string): ServedValue => ({
  ...{ sourceId, currency: 'USD', price },
  observedAt: quoteTime,
})
const row = (id: string, symbol: string, price: string): string =>
  `{"id":${id},"symbol":"${symbol}","supply":1e15,"quote":[{"symbol":"USD","price":${price},"last_updated":"2026-11-21T11:59:03.000Z","cap":null}]}`
const list = {
  body: `{"status":{"error_code":"0"},"data":[${row('1', 'BTC', '64235.10')},${row('52', 'XRP', '9.6e-1')}]}`,
  served: [value('1', '64235.10'), value('52', '9.6e-1')],
}
const byName = {
  body: '{"error":[],"result":{"XXBTZUSD":{"c":["64235.10000","0.01"],"o":"64235.10000"},"XXRPZUSD":{"c":["0.96","1"],"o":"1"}}}',
  served: [
    { ...value('XXBTZUSD', '64235.10000'), observedAt: null },
    { ...value('XXRPZUSD', '0.96'), observedAt: null },
  ],
}
const single = {
  body: '{"price":"64235.10","time":"2026-11-21T11:59:03.123456Z","trade_id":7,"volume":"12.5"}',
  served: [{ ...value('BTC-USD', '64235.10'), observedAt: EpochMicros(quoteTime + 123_456) }],
}

const change = (good: typeof list, spec: ChangeSpec, memory = new Map<string, string>(), url = '/x') =>
  changeBody(good, spec, { at, url, memory })
const prices = (served: readonly ServedValue[] | undefined) => served?.map(v => v.price)

describe('the tree of a body', () => {
  it('prints the digits, the order and the repeated names that it read', () => {
    const text = '{"b":1.50,"1":[],"a":{},"b":-0e5,"__proto__":"\\"\\u00e9]","c":[true,null,[1e400]]}'
    expect(printTree(parseTree(text))).toBe(text)
    expect(printTree(parseTree(' [ 1 , { "a" : "x y" } ] '))).toBe('[1,{"a":"x y"}]')
    expect(() => parseTree('{"a":}')).toThrow()
  })
})

describe('a change of the first price', () => {
  it.each<[BodyChange, string, string | null]>([
    ['null-price', 'null', null],
    ['zero-price', '0', null],
    ['negative-price', '-1.5', null],
    ['empty-price', '""', null],
    ['text-price', '"N/A"', null],
    ['huge-price', '1e400', null],
    ['object-price', '{"value":64235.10}', null],
    ['array-price', '[64235.10]', null],
    ['separators-price', '"64,235.10"', null],
    ['retyped-price', '"64235.10"', '64235.10'],
    ['exponent-price', '6.42351e+4', '6.42351e+4'],
    ['long-price', '64235.100000000000007', '64235.100000000000007'],
    ['scaled-price', '64235100', '64235100'],
    ['other-currency', '50745.7290', '50745.7290'],
  ])('%s', (name, text, noted) => {
    const changed = change(list, { change: name })
    expect(changed?.body).toBe(list.body.replace('64235.10', text))
    expect(prices(changed?.served)).toEqual(noted === null ? ['9.6e-1'] : [noted, '9.6e-1'])
  })

  it('keeps text where the provider sends text, and changes the first place alone', () => {
    const zero = change(byName, { change: 'zero-price' })
    expect(zero?.body).toBe(byName.body.replace('"64235.10000"', '"0"'))
    const all = change(byName, { change: 'scaled-price', digits: -8, all: true })
    expect(prices(all?.served)).toEqual(['0.0006423510000', '0.0000000096'])
    expect(all?.body).toContain('"c":["0.0000000096"')
  })

  it('freezes each price as it was first seen, while the rest goes on; the first call is left alone', () => {
    const memory = new Map<string, string>()
    const spec = { change: 'frozen-price', all: true } as const
    expect(change(list, spec, memory)).toBeUndefined()
    expect(change(list, spec, memory)).toBeUndefined()
    const later = {
      body: list.body.replace('64235.10', '70000').replaceAll('11:59', '12:59'),
      served: [value('1', '70000'), list.served[1]!],
    }
    const frozen = change(later, spec, memory)
    expect(frozen?.body).toBe(list.body.replaceAll('11:59', '12:59'))
    expect(prices(frozen?.served)).toEqual(['64235.10', '9.6e-1'])
  })

  it('freezes a whole answer, each URL its own', () => {
    const memory = new Map<string, string>()
    expect(change(list, { change: 'frozen-body' }, memory)).toBeUndefined()
    const later = { ...list, body: list.body.replace('64235.10', '1') }
    expect(change(later, { change: 'frozen-body' }, memory)).toEqual(list)
    expect(change(later, { change: 'frozen-body' }, memory, '/other')).toBeUndefined()
  })
})

describe('a change around the first price', () => {
  const parsed = (name: BodyChange, good = list) => {
    const changed = change(good, { change: name })
    return changed && { data: JSON.parse(changed.body) as never, served: changed.served }
  }

  it('renames, truncates and omits; nothing is served then', () => {
    expect(change(list, { change: 'renamed-field' })?.body).toBe(list.body.replace('"price"', '"price_v2"'))
    expect(change(byName, { change: 'renamed-field' })?.body).toBe(byName.body.replace('"c"', '"c_v2"'))
    expect(change(list, { change: 'truncated-array' })?.body).toContain('"supply":1e15,"quote":[]}')
    expect(change(byName, { change: 'truncated-array' })?.body).toContain('"XXBTZUSD":{"c":[],')
    expect(change(list, { change: 'omitted-row' })?.body).not.toContain('"BTC"')
    for (const name of ['renamed-field', 'truncated-array', 'omitted-row'] as const)
      expect(prices(parsed(name)?.served)).toEqual(['9.6e-1'])
  })

  it('adds a second row of the same id, and a dearer namesake', () => {
    expect(parsed('duplicate-row')).toMatchObject({
      data: { data: [{ id: 1 }, { id: 52 }, { id: 1, quote: [{ price: 964235.1 }] }] },
      served: [{ sourceId: '1' }, { sourceId: '1', price: '964235.10' }, { sourceId: '52' }],
    })
    // JSON.parse would show the last of them only.
    const again = change(byName, { change: 'duplicate-row' })
    expect(again?.body.match(/"XXBTZUSD":/g)).toHaveLength(2)
    expect(again?.served.filter(v => v.sourceId === 'XXBTZUSD').map(v => v.price)).toHaveLength(2)
    expect(parsed('symbol-collision')).toMatchObject({
      data: { data: [{ id: 999991, symbol: 'BTC', quote: [{ price: 964235.1 }] }, { id: 1 }, { id: 52 }] },
    })
    const named = change(byName, { change: 'symbol-collision' })
    expect(Object.keys((JSON.parse(named?.body ?? '') as { result: object }).result)).toEqual([
      ...['XXBTZUSD-namesake', 'XXBTZUSD', 'XXRPZUSD'],
    ])
  })

  it('adds members that mean something to a careless program, and takes others away', () => {
    const evil = change(list, { change: 'proto-keys' })
    expect(evil?.body.match(/"__proto__":\{/g)?.length).toBe(6)
    expect(evil?.served).toEqual(list.served)
    expect(change(list, { change: 'new-keys' })?.body).toContain('"tvl_share_v3":null')
    const gone = change(list, { change: 'gone-keys' })?.body ?? ''
    expect([gone.match(/"cap"/g)?.length, gone.match(/1e15/g)?.length]).toEqual([1, 1])
    expect(gone).toContain('{"id":1,"symbol":"BTC","quote":[{"symbol":"USD","price":64235.10,')
  })

  it('labels another currency, and leaves the asked one out', () => {
    const labelled = change(list, { change: 'relabelled-currency' })
    expect(labelled?.body).toBe(list.body.replace('"symbol":"USD"', '"symbol":"GBP"'))
    expect(labelled?.served[0]).toEqual({ ...list.served[0], currency: 'GBP' })
    expect(change(list, { change: 'missing-currency' })?.body).toContain('"supply":1e15,"quote":[]}')
    const keyed = { body: '{"usd":{"price":5},"usd_cap":1}', served: [value('x', '5')] }
    expect(change(keyed, { change: 'missing-currency' })?.body).toBe('{"usd_cap":1}')
    expect(change(keyed, { change: 'relabelled-currency' })?.body).toBe('{"gbp":{"price":5},"usd_cap":1}')
  })

  it('shifts every time of the row, and the noted one with it', () => {
    const back = change(single, { change: 'shifted-clock' })
    expect(back?.body).toBe(single.body.replace('11:59:03.123456Z', '11:14:03.123Z'))
    expect(back?.served[0]?.observedAt).toBe(parseIso('2026-11-21T11:14:03.123Z'))
    const unix = { body: `{"p":5,"t":${quoteTime / 1e6},"n":1234567890}`, served: [value('x', '5')] }
    const ahead = change(unix, { change: 'shifted-clock', ms: 60_000 })
    expect(ahead?.body).toBe(`{"p":5,"t":${quoteTime / 1e6 + 60},"n":1234567890}`)
  })

  it('does nothing where a body has no such place, or no price at all', () => {
    for (const name of ['omitted-row', 'duplicate-row', 'symbol-collision', 'missing-currency'] as const)
      expect(change(single, { change: name })).toBeUndefined()
    for (const name of bodyChanges) {
      expect(change({ body: '{"data":[]}', served: [] }, { change: name })).toBeUndefined()
      expect(change({ body: 'plain', served: [] }, { change: name })).toBeUndefined()
    }
  })
})

it('the README tells every kind of fault and every change', () => {
  const page = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8')
  const kinds = /kind is one of (.*)$/.exec(refusalOf({ kind: 'nonsense' }))?.[1]?.split(', ') ?? []
  expect(kinds.length).toBeGreaterThan(20)
  expect([...kinds, ...bodyChanges].filter(name => !page.includes(`\`${name}\``))).toEqual([])
})

function refusalOf(spec: unknown): string {
  try {
    checkFault(spec)
    return ''
  } catch (error) {
    return (error as Error).message
  }
}
