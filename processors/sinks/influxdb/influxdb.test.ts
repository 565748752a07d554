import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../../../core/virtual-clock.ts'
import { EpochMicros } from '../../../core/brands.ts'
import { quotes } from '../../../topics/records.contract.ts'
import { readAnswers } from './answers.ts'
import { words } from './errors.ts'
import { fieldFloat } from './line.ts'
import { checkOptions } from './options.ts'
import type { InfluxOptions } from './options.ts'
import { quoteFrom, quoteText, versionIn } from '../quote-text.ts'
import { rangesOf } from './stored.ts'

const options = (more: Partial<InfluxOptions>): InfluxOptions => ({
  ...{ url: 'http://127.0.0.1:8086', database: 'prices', clock: new VirtualClock(EpochMicros(0)) },
  ...more,
})

describe('options', () => {
  it.each([
    [{ url: 'influx:8086' }, /URL like/],
    [{ url: 'ftp://x' }, /URL like/],
    [{ url: 'http://user:pw-in-url@x:8086' }, /user or password in it/],
    [{ database: 'a/b' }, /no slash/],
    [{ database: 'a\nb' }, /printable/],
    [{ retentionPolicy: '' }, /1 to 128/],
    [{ login: { username: 'u', password: 'pw:colon' } }, /colon or a space/],
    [{ login: { username: 'u', password: 'pw space' } }, /colon or a space/],
    [{ login: { username: 'u:x', password: 'pw-plain' } }, /colon or a space/],
    [{ login: { username: 'u', password: '' } }, /empty/],
    [{ token: 'pw\nX-Forged: 1' }, /no header can take/],
    [{ tls: { ca: 'x' } }, /write https/],
  ])('%o is refused without a secret in the sentence', (more, why) => {
    const check = (): void => checkOptions(options(more))
    expect(check).toThrow(why)
    expect(check).not.toThrow(/pw/)
  })
  it('a plain set is taken', () => {
    expect(() => checkOptions(options({ login: { username: 'u', password: 'p$%&' } }))).not.toThrow()
  })
})

describe('the text of a point', () => {
  it('gives back the quote and its version, with or without tabs in its names', () => {
    fc.assert(
      fc.property(quotes, fc.boolean(), (q, tabbed) => {
        const sent = tabbed ? { ...q, symbol: `a\t${q.symbol}` } : q
        expect(quoteFrom(sent, sent.observedAt, quoteText(sent))).toEqual(sent)
        expect(versionIn(quoteText(sent))).toBe(sent.receivedAt + sent.revision)
      }),
    )
  })
  it('has a float beside it only where a float can hold the number', () => {
    expect(['1', '-0.5', '9.6e-12', '1e308', '9e308', '1e-400'].map(fieldFloat)).toEqual([
      '1',
      '-0.5',
      '9.6e-12',
      '1e308',
      undefined,
      '1e-400',
    ])
  })
})

describe('moments', () => {
  it('lie all in the ranges that are asked for, which are no longer than a day', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(10 * 86_400)), list => {
        const moments = list.map(s => s * 1_000_000)
        const ranges = rangesOf(new Set(moments))
        for (const at of moments) expect(ranges.filter(([a, b]) => a <= at && at <= b)).toHaveLength(1)
        for (const [a, b] of ranges) expect(b - a).toBeLessThanOrEqual(86_400_000_000)
      }),
    )
  })
})

describe('a chunked answer', () => {
  it('is put together wherever it is cut, also inside a character', async () => {
    const piece = (values: number[][], name = 'm', id = 0): string =>
      `${JSON.stringify({ results: [{ statement_id: id, series: [{ name, tags: { k: '₿' }, columns: ['time'], values, partial: true }] }] })}\n`
    const bytes = new TextEncoder().encode(
      piece([[1], [2]]) + piece([[3]]) + piece([[4]], 'n') + piece([[5]], 'n', 2),
    )
    for (const size of [1, 2, 3, 7, 100, 10_000]) {
      const cut = async function* (): AsyncIterable<Uint8Array> {
        for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size)
      }
      const answers = await readAnswers(cut())
      expect(answers.map(a => a.series.map(s => [s.name, s.tags['k'], s.values.flat()]))).toEqual([
        [
          ['m', '₿', [1, 2, 3]],
          ['n', '₿', [4]],
        ],
        [],
        [['n', '₿', [5]]],
      ])
    }
  })
})

it('what a server says becomes one line', () => {
  expect(words(' a\r\n\tb '.repeat(100))).toHaveLength(300)
  expect(words(' a\r\n\tb ')).toBe('a b')
})
