import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EpochMicros } from '../../../core/brands.ts'
import type { AssetId, ProviderId } from '../../../core/brands.ts'
import { CryptosError } from '../../../core/errors.ts'
import { quoteId } from '../../../core/records.ts'
import type { Quote } from '../../../core/records.ts'
import { flagAt, marketSource } from '../../market.contract.ts'
import { all, quote, sourceAt } from '../../sink.contract.ts'
import { openConnection } from './open.ts'
import type { InfluxConnection } from './connection.ts'
import { openStore } from './stack.contract.ts'

const noon = Date.UTC(2026, 10, 21, 12) * 1_000
const always = { from: EpochMicros(0), to: EpochMicros(9e15) }

/** What would begin a line, end a text, or be read as something else. */
const injections = [
  'a\nquote,provider=evil,asset=evil,currency=USD price=1 1',
  'a price=1 1790000000000000\nx y=1',
  'x,provider=evil',
  'x price=666i',
  '" ,price=1',
  '\\" ,price=1',
  '\\',
  'a\\',
  '\\\\',
  'a\\\\',
  'a\\,b\\ c\\=d',
  '#comment',
  '# ',
  '\r',
  'a\r\nb',
  '\t',
  'a\tb',
  '\u0000',
  '\u007f\u0085\u2028\u202e',
  '',
  ' ',
  ',',
  '=',
  'time',
  'live',
  '₿ü日🚀👩‍👩‍👧',
  `'; DROP MEASUREMENT "quote"; --`,
  `" OR 1=1 --`,
  '<img src=x onerror=alert(1)>',
  '/.*/',
  'x'.repeat(999),
  '[1,2]',
] as const
const wild = fc.oneof(
  fc.constantFrom(...injections),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 20 }).filter(text => text.isWellFormed()),
  fc.stringMatching(/^[\\,= "#\n\ta]{0,8}$/),
)

describe('text of strangers', () => {
  let t: Awaited<ReturnType<typeof openStore>>
  let connection: InfluxConnection
  beforeAll(async () => {
    t = await openStore()
    connection = await openConnection(t.options)
  })
  afterAll(async () => {
    connection.close()
    await t.close()
  })

  /** Writes them; returns those that the sink called wrong. */
  async function write(quotes: readonly Quote[]): Promise<readonly number[]> {
    try {
      await t.sink.write(quotes, sourceAt(0, quotes.length))
      return []
    } catch (error) {
      if (!(error instanceof CryptosError) || error.code !== 'CRY_RECORD_INVALID') throw error
      return [...(error.partial?.refused.keys() ?? [])]
    }
  }

  it('stands in fields as it is, whatever it is', async () => {
    let n = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(wild, wild, wild, wild), { minLength: 1, maxLength: 20 }),
        async list => {
          n += 1
          const asset = `field:${n}` as AssetId
          const sent = list.map(([symbol, sourceId, runId, rawRef], i) =>
            quote({ asset, symbol, sourceId, runId, rawRef, observedAt: EpochMicros(noon + i) }),
          )
          expect(await write(sent)).toEqual([])
          expect(await all(t.reader.rows({ asset, ...always }))).toEqual(sent)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('stands in names as it is, or is refused; it never makes another point, and its neighbours are stored', async () => {
    let at = noon
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(wild, wild, wild), { minLength: 1, maxLength: 10 }), async list => {
        await connection.query('DROP MEASUREMENT "quote"')
        const neighbours = [0, 1].map(i => quote({ observedAt: EpochMicros(noon + i) }))
        const odd = list.map(([provider, asset, currency]) => {
          at += 1
          return quote({
            ...{ provider: provider as ProviderId, asset: asset as AssetId, currency },
            observedAt: EpochMicros(at),
          })
        })
        const sent = [...neighbours.slice(0, 1), ...odd, ...neighbours.slice(1)]
        const refused = new Set(await write(sent))
        const kept = sent.filter((_, i) => !refused.has(i))
        expect(kept).toEqual(expect.arrayContaining(neighbours))
        const stored = await all(t.reader.rows(always))
        const byId = (list: readonly Quote[]) => new Map(list.map(q => [quoteId(q), q]))
        expect(byId(stored)).toEqual(byId(kept))
        const [measurements] = await connection.query('SHOW MEASUREMENTS')
        expect(measurements?.series[0]?.values.flat()).toEqual(['quote'])
      }),
      { numRuns: 60 },
    )
  })

  it.each([
    ['ends in a backslash', 'a\\', /ends in a backslash/],
    ['has a newline', 'a\nb', /control characters/],
    ['has a carriage return', 'a\rb', /control characters/],
    ['has a tab', 'a\tb', /control characters/],
    ['is empty', '', /is empty/],
    ['is very long', 'x'.repeat(70_000), /more than 1000 characters/],
    ['has half a surrogate pair', '\ud800', /surrogate/],
  ])('refuses a name that %s, with a sentence, before anything is sent', async (_, text, why) => {
    const bad = quote({ asset: text as AssetId, observedAt: EpochMicros(noon + 77) })
    const error = await t.sink.write([bad], sourceAt(0, 1)).catch((e: unknown) => e)
    expect(error).toMatchObject({ code: 'CRY_RECORD_INVALID', message: expect.stringMatching(why) })
    expect((error as CryptosError).partial).toMatchObject({ written: 0, superseded: 0 })
  })

  it('a name that begins with # is no comment', async () => {
    const asset = '#bitcoin' as AssetId
    await t.sink.write([quote({ asset })], sourceAt(0, 1))
    expect(await all(t.reader.rows({ asset, ...always }))).toEqual([quote({ asset })])
  })

  it('sentences of records beside quotes, with any character, up to the largest', async () => {
    const texts = [...injections, 'x'.repeat(60_000), '"\\'.repeat(20_000)]
    const flags = texts.map((evidence, i) => flagAt(noon + i, { evidence }))
    await t.sink.market.write(flags, marketSource(0, flags.length))
    expect(await t.reader.flagsOf(always)).toEqual(flags)
  })
})

describe('times', () => {
  const now = EpochMicros(Date.UTC(2026, 10, 21, 18) * 1_000)
  it.each([
    ['seconds', Math.floor(now / 1e6)],
    ['milliseconds', Math.floor(now / 1e3)],
    ['nanoseconds', now * 1_000],
    ['a moment before Bitcoin', Date.UTC(2008, 11, 31) * 1_000],
    ['the day after tomorrow', now + 2 * 86_400_000_000],
  ])('in %s are refused, since the server would store them without a word', async (_, at) => {
    const { VirtualClock } = await import('../../../core/virtual-clock.ts')
    const { storeOptions } = await import('./stack.contract.ts')
    const t = await openStore(storeOptions({ clock: new VirtualClock(now) }))
    const [bad, good] = [quote({ observedAt: at as EpochMicros }), quote({ observedAt: now })]
    const error = await t.sink.write([bad, good], sourceAt(0, 2)).catch((e: unknown) => e)
    expect(error).toMatchObject({
      code: 'CRY_RECORD_INVALID',
      message: expect.stringMatching(/not in microseconds/),
      partial: { written: 1, superseded: 0 },
    })
    expect([...((error as CryptosError).partial?.refused.keys() ?? [])]).toEqual([0])
    expect(await all(t.reader.rows(always))).toEqual([good])
    await t.close()
  })
})
