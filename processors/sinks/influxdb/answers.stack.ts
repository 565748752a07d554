import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { InfluxConnection } from './connection.ts'
import { name } from './influxql.ts'
import { openConnection } from './open.ts'
import { Lines } from './lines.ts'
import type { SentLine } from './lines.ts'
import { storeLines } from './store-lines.ts'
import { storeOptions } from './stack.contract.ts'

/** Every answer of the write API that a batch can meet, from the real server. */
const t0 = Date.UTC(2026, 10, 21) * 1_000
const line = (text: string, i: number): SentLine => ({ line: `${text} ${t0 + i}`, at: t0 + i })
const good = (i: number): SentLine => line(`m,s=a v=${i}.5`, i)

describe('answers of the write API', () => {
  const options = storeOptions()
  let connection: InfluxConnection
  let sends: number[] = []
  beforeAll(async () => {
    connection = await openConnection(options)
    const send = connection.send.bind(connection)
    connection.send = async (lines, bucket) => {
      sends.push(lines.split('\n').length)
      await send(lines, bucket)
    }
  })
  afterAll(() => connection.close())

  /** Stores them in a measurement that is empty, and tells what was refused, what is stored and how many requests it took. */
  async function store(lines: readonly SentLine[], where = connection) {
    await connection.query('DROP MEASUREMENT "m"')
    sends = []
    const refused = await storeLines(where, Lines.of(lines))
    const [answer] = await connection.query('SELECT "v" FROM "m"')
    const stored = (answer?.series[0]?.values ?? []).map(row => Number(row[0]) - t0)
    return { refused, stored, sends: [...sends] }
  }

  it('204: all stored by one request; again: nothing changes; no lines: no request', async () => {
    const lines = [good(0), good(1), good(2)]
    expect(await store(lines)).toEqual({ refused: new Map(), stored: [0, 1, 2], sends: [3] })
    await storeLines(connection, Lines.of(lines))
    const [answer] = await connection.query('SELECT count("v") FROM "m"')
    expect(answer?.series[0]?.values[0]?.[1]).toBe(3)
    expect(await store([])).toEqual({ refused: new Map(), stored: [], sends: [] })
  })

  it('204: compressed, and into the database with its retention policy named', async () => {
    const zipped = new InfluxConnection({ ...options, retentionPolicy: 'autogen' }, true)
    const lines = Array.from({ length: 500 }, (_, i) => good(i))
    expect((await store(lines, zipped)).stored).toHaveLength(500)
    zipped.close()
  })

  it.each([
    ['is none', 'm,s=a', /^invalid field format$/],
    ['has no number', 'm,s=a v=abc', /invalid/],
    ['has NaN', 'm,s=a v=NaN', /invalid number/],
    ['has too large a float', 'm,s=a v=1e400', /invalid float/],
    ['ends its tag in a backslash', 'm,s=a\\ v=1', /missing fields|invalid/],
    ['has a time beyond the range', 'm,s=a v=1 9', /time outside range|bad timestamp|invalid/],
  ])('400 partial write: a line that %s is named, the others are stored', async (_, text, why) => {
    const found = await store([good(0), line(text, 1), good(2)])
    expect(found.stored).toEqual([0, 2])
    expect([...found.refused.keys()]).toEqual([1])
    expect(found.refused.get(1)).toMatch(why)
    expect(found.sends).toEqual([3, 2])
  })

  it('400 partial write: several bad lines, equal ones too', async () => {
    const bad = [1, 3, 4].map(i => ({ line: 'm,s=a v=abc', at: i }))
    const lines = [good(0), bad[0], good(2), bad[1], bad[2], good(5)] as SentLine[]
    const found = await store(lines)
    expect(found).toMatchObject({ stored: [0, 2, 5], sends: [6, 3] })
    expect([...found.refused.keys()].sort()).toEqual([1, 3, 4])
  })

  it('400 without it: all lines are bad and nothing is stored', async () => {
    const found = await store([line('m,s=a v=x', 0), line('m v=', 1)])
    expect(found).toMatchObject({ stored: [], sends: [2] })
    expect([...found.refused.keys()]).toEqual([0, 1])
  })

  it('400 without it: a series key that is too long is found by halves', async () => {
    const long = line(`m,s=${'x'.repeat(66_000)} v=1.5`, 5)
    const found = await store([0, 1, 2, 3, 4].map(good).concat(long, good(6)))
    expect(found.stored).toEqual([0, 1, 2, 3, 4, 6])
    expect([...found.refused.keys()]).toEqual([5])
    expect(found.refused.get(5)).toMatch(/max key length exceeded/)
  })

  it('400 partial write: a field of another type than before is found among many', async () => {
    await connection.query('DROP MEASUREMENT "m"')
    const lines = Array.from({ length: 200 }, (_, i) =>
      i === 77 || i === 150 ? line('m,s=a v=1i', i) : good(i),
    )
    const found = await store(lines)
    expect([...found.refused.keys()].sort((a, b) => a - b)).toEqual([77, 150])
    expect(found.refused.get(77)).toMatch(/field type conflict/)
    expect(found.stored).toHaveLength(198)
    expect(found.sends.length).toBeLessThan(40)
  })

  it('400 partial write: all of another type takes one request', async () => {
    await store([good(0)])
    sends = []
    const refused = await storeLines(connection, Lines.of([line('m,s=a v=1i', 1), line('m,s=a v=2i', 2)]))
    expect([refused.size, sends]).toEqual([2, [2]])
  })

  it('400 partial write: tags and fields named time', async () => {
    const found = await store([good(0), line('m,time=a v=1.5', 1), line('m,s=a time=1.5', 2), good(3)])
    expect(found.stored).toEqual([0, 3])
    expect([...found.refused.keys()].sort()).toEqual([1, 2])
  })

  it('400 partial write beyond retention: as many of the oldest as it counts, whatever their order', async () => {
    await connection.query(
      `CREATE RETENTION POLICY "short" ON ${name(options.database)} DURATION 2h REPLICATION 1`,
    )
    const short = new InfluxConnection({ ...options, retentionPolicy: 'short' })
    const now = Date.now() * 1_000
    const ages = [5, 0, 3, 1, 9].map(hours => now - hours * 3_600_000_000)
    const sent = ages.map(at => ({ line: `old v=1.5 ${at}`, at }))
    const refused = await storeLines(short, Lines.of(sent))
    expect([...refused.keys()].sort()).toEqual([0, 2, 4])
    expect(refused.get(0)).toMatch(/beyond retention policy/)
    const [answer] = await short.query('SELECT count("v") FROM "short"."old"')
    expect(answer?.series[0]?.values[0]?.[1]).toBe(2)
    short.close()
  })

  it('400 partial write: unreadable, of another type and beyond retention in one batch', async () => {
    const short = new InfluxConnection({ ...options, retentionPolicy: 'short' })
    const now = Date.now() * 1_000
    const at = (i: number): number => (i === 2 ? now - 9 * 3_600_000_000 : now + i)
    const values = ['1.5', 'abc', '1.5', '1i', '2.5', '3.5']
    const sent = values.map((v, i) => ({ line: `mixed v=${v} ${at(i)}`, at: at(i) }))
    const refused = await storeLines(
      short,
      Lines.of([{ line: `mixed v=0.5 ${now - 1}`, at: now - 1 }, ...sent]),
    )
    expect([...refused.keys()].sort()).toEqual([2, 3, 4])
    const [answer] = await short.query('SELECT count("v") FROM "short"."mixed"')
    expect(answer?.series[0]?.values[0]?.[1]).toBe(4)
    short.close()
  })

  it('404 for a database that went away, and 500 for a retention policy: both stop', async () => {
    const gone = await openConnection(storeOptions({ retentionPolicy: 'own' }))
    await gone.query(
      `CREATE RETENTION POLICY "other" ON ${name(gone.options.database)} DURATION 0s REPLICATION 1 DEFAULT`,
    )
    await gone.query(`DROP RETENTION POLICY "own" ON ${name(gone.options.database)}`)
    await expect(storeLines(gone, Lines.of([good(0)]))).rejects.toMatchObject({
      code: 'CRY_SERVER_CONFIG',
      message: expect.stringMatching(/127\.0\.0\.1.*retention policy not found: own/),
    })
    await gone.query(`DROP DATABASE ${name(gone.options.database)}`)
    await expect(storeLines(gone, Lines.of([good(0)]))).rejects.toMatchObject({
      code: 'CRY_SERVER_CONFIG',
      message: expect.stringMatching(/database not found/),
    })
    gone.close()
  })
})

describe('opening', () => {
  it('makes a missing database with its retention policy, but never a policy in one that is there', async () => {
    const options = storeOptions({ retentionPolicy: 'own' })
    const first = await openConnection(options)
    const again = await openConnection(options)
    const wrong = { ...options, retentionPolicy: 'nope' }
    await expect(openConnection(wrong)).rejects.toMatchObject({
      code: 'CRY_SERVER_CONFIG',
      message: expect.stringMatching(/no retention policy "nope"/),
    })
    first.close()
    again.close()
  })
})
