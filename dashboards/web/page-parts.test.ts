import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loadFiles } from './files.ts'

/** The page's own modules that need no browser. They are plain JavaScript: imported by address. */
const part = (name: string) => import(new URL(`./public/${name}`, import.meta.url).href)
const {
  decimalsOf,
  formatPrice,
  formatSpan,
  group,
  parseExact,
  percentChange,
  round,
  subtract,
  toPlain,
  compareExact,
} = await part('format.js')
const { makeQueue } = await part('line.js')
const { groupRuns } = await part('run-groups.js')
const { driftText, paceText, planText } = await part('quota.js')

const decimal = fc
  .tuple(fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }), fc.integer({ min: 0, max: 20 }))
  .map(([digits, scale]) => ({ digits, scale }))

describe('numbers', () => {
  it.each([
    ['84278.77808276', '84,278.78'],
    ['84278.7', '84,278.70'],
    ['1234567890.123456789012345678', '1,234,567,890.12'],
    ['999.99995', '1,000.00'],
    ['127.85630', '127.86'],
    ['2.32', '2.3200'],
    ['1', '1.0000'],
    ['0.000012345678', '0.000012346'],
    ['0.41000', '0.41000'],
    ['9.6e-12', '9.6e-12'],
    ['1.0109450045936e-11', '1.0109e-11'],
    ['0.000000000010109450045936', '1.0109e-11'],
    ['123456789012345678901234567890', '1.2346e29'],
    ['1e15', '1,000,000,000,000,000.00'],
    ['1e300', '1e300'],
    ['0.00', '0'],
    ['-1234.5', '-1,234.50'],
    ['9007199254740993', '9,007,199,254,740,993.00'],
  ])('%s is shown as %s', (text, shown) => {
    expect(formatPrice(text)).toBe(shown)
  })

  it('keeps the decimals of an asset, whatever a provider sends', () => {
    const decimals = decimalsOf('142.77')
    const shown = ['142.77', '142.9194', '99.5', '142.766359192121087'].map(text =>
      formatPrice(text, decimals),
    )
    expect(shown).toEqual(['142.77', '142.92', '99.50', '142.77'])
    expect(formatPrice('0.00012345', 2)).toBe('0.00012345')
    expect(formatPrice('0', 2)).toBe('0')
  })

  it('reads back what it writes, and a − b + b is a', () => {
    fc.assert(
      fc.property(decimal, decimal, (a, b) => {
        expect(parseExact(toPlain(a))).toEqual(a)
        const back = subtract(subtract(a, b), { ...b, digits: -b.digits })
        expect(compareExact(toPlain(back), toPlain(a))).toBe(0)
      }),
    )
  })

  it('rounds by at most half a unit', () => {
    fc.assert(
      fc.property(decimal, fc.integer({ min: 0, max: 20 }), (a, decimals) => {
        const error = subtract(round(a, decimals), a)
        const twice = error.digits < 0n ? -2n * error.digits : 2n * error.digits
        expect(twice <= 10n ** BigInt(error.scale - decimals)).toBe(true)
      }),
    )
  })

  it('gives per cent, groups and spans', () => {
    expect(percentChange('100', '101.234', 2)).toBe('1.23')
    expect(percentChange('100', '98.765', 2)).toBe('-1.24')
    expect(percentChange('0', '5', 2)).toBe('')
    expect(percentChange('1e-12', '2e-12', 2)).toBe('100.00')
    expect([group('1234567'), group('-123'), group('1234.56789')]).toEqual([
      '1,234,567',
      '-123',
      '1,234.56789',
    ])
    expect([59_999, 60_000, 7_500_000, 7_200_000, 90_000_000, -5].map(formatSpan)).toEqual([
      '59 s',
      '1 min',
      '2 h 5 min',
      '2 h',
      '1 d 1 h',
      '0 s',
    ])
  })
})

describe('quota in words', () => {
  const month = { window: 'month', limit: 100, used: 1, reserved: 0, left: 99, resetsAt: '' }
  const minute = { ...month, window: 'minute' }
  it('names a plan that is a sum of credits by itself', () => {
    expect(planText('15000 credits a month')).toBe('15,000 credits a month')
    expect(planText('basic')).toBe('basic plan')
    expect(planText('key-2026-01')).toBe('key-2026-01 plan')
  })
  it('promises nothing where no credits are limited, nor where none are left', () => {
    const words = (...windows: object[]) => paceText({ runsOutAt: null, windows, frozen: null }, 0)
    expect(words(minute, { ...month, limit: null, left: null })).toBe('')
    expect(words({ ...minute, window: 'second' })).toBe('')
    expect(words(minute, month)).toBe('At the pace of the last hour it lasts until the reset.')
    expect(words({ ...month, left: 0 })).toBe('Used up.')
    expect(paceText({ runsOutAt: null, windows: [month], frozen: 'told so' }, 0)).toBe('')
  })
  it('says who counts more', () => {
    expect([null, 0, 1234, -5].map(driftText)).toEqual([
      'no difference',
      'no difference',
      'the provider counts 1,234 more',
      'the provider counts 5 less',
    ])
  })
})

describe('the queue between history and live prices', () => {
  it('adds what came during a load after it, and throws an older load away', async () => {
    const seen: string[] = []
    const loads = [Promise.withResolvers<() => void>(), Promise.withResolvers<() => void>()]
    let turn = 0
    const queue = makeQueue(
      () => loads[turn++]?.promise,
      (price: string) => seen.push(price),
    )
    const first = queue.load()
    queue.push('during first')
    const second = queue.load()
    queue.push('during second')
    loads[0]?.resolve(() => seen.push('first history'))
    await first
    expect(seen).toEqual([])
    loads[1]?.resolve(() => seen.push('second history'))
    await second
    queue.push('after')
    expect(seen).toEqual(['second history', 'during first', 'during second', 'after'])
  })
})

describe('runs', () => {
  it('that say the same one after the other become one line; nothing is left out of the sums', () => {
    const run = (provider: string, outcome: string, durationMs: number) => ({
      provider,
      dataset: 'quotes',
      outcome,
      reason: '',
      records: 2,
      credits: 1,
      durationMs,
    })
    const groups = groupRuns([
      run('a', 'collected', 5),
      run('a', 'collected', 9),
      run('a', 'failed', 1),
      run('a', 'collected', 2),
      run('b', 'collected', 3),
    ])
    const counts = groups.map((g: { count: number; records: number; credits: number; longestMs: number }) => [
      g.count,
      g.records,
      g.credits,
      g.longestMs,
    ])
    expect(counts).toEqual([
      [2, 4, 2, 9],
      [1, 2, 1, 1],
      [1, 2, 1, 2],
      [1, 2, 1, 3],
    ])
  })
})

describe('the table of files', () => {
  it('has every module and style of the page, and the page asks for nothing else', async () => {
    const folder = new URL('./public/', import.meta.url)
    const names = readdirSync(folder).filter(name => /\.(js|css|svg)$/.test(name))
    const table = loadFiles(null)
    const known = [...table.keys()].filter(
      key => !key.startsWith('/vendor/') && !['/', '/favicon.ico'].includes(key),
    )
    expect(table.get('/favicon.ico')).toBe(table.get('/favicon.svg'))
    expect(new Set(known)).toEqual(new Set(names.map(name => `/${name}`)))
    const asked = names
      .concat('index.html')
      .flatMap(name => [
        ...readFileSync(new URL(name, folder), 'utf8').matchAll(
          /(?:from '|src="|href=")(\.?\/[\w.-]+(?:\/[\w.-]+)?)['"]/g,
        ),
      ])
      .map(match => (match[1] ?? '').replace(/^\.\//, '/'))
      .filter(name => !/^\/(api|health)/.test(name))
    expect(asked.length).toBeGreaterThan(20)
    expect(asked.filter(name => !table.has(name))).toEqual([])
  })
})
