import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EpochMicros } from '../../../core/brands.ts'
import type { DecimalString } from '../../../core/brands.ts'
import type { Quote } from '../../../core/records.ts'
import { flagAt, marketSource } from '../../market.contract.ts'
import { all, quote, sourceAt } from '../../sink.contract.ts'
import { InfluxConnection } from './connection.ts'
import { openStore, storeOptions } from './stack.contract.ts'

const noon = Date.UTC(2026, 10, 21, 12) * 1_000
const always = { from: EpochMicros(0), to: EpochMicros(9e15) }
const minute = (i: number): EpochMicros => EpochMicros(noon + i * 60_000_000)
const version = (i: number, v: number, more: Partial<Quote> = {}): Quote =>
  quote({
    observedAt: minute(i),
    receivedAt: EpochMicros(noon + v),
    price: `${v}.5` as DecimalString,
    ...more,
  })

describe('an older version', () => {
  let t: Awaited<ReturnType<typeof openStore>>
  let asked: string[] = []
  let sent: string[] = []
  const { query, send } = InfluxConnection.prototype
  beforeEach(async () => {
    t = await openStore()
    asked = []
    sent = []
    InfluxConnection.prototype.query = function (statements, database) {
      asked.push(...[statements].flat())
      return query.call(this, statements, database)
    }
    InfluxConnection.prototype.send = function (lines, bucket) {
      sent.push(lines)
      return send.call(this, lines, bucket)
    }
  })
  afterEach(async () => {
    InfluxConnection.prototype.query = query
    InfluxConnection.prototype.send = send
    await t.close()
  })
  const stored = async (): Promise<string[]> => (await all(t.reader.rows(always))).map(q => q.price)

  it('is looked for only where it can be: new values ask for nothing once their series are known', async () => {
    await t.sink.write([version(0, 1), version(0, 1, { currency: 'EUR' })], sourceAt(0, 2))
    expect(asked).toHaveLength(1)
    for (let i = 1; i < 20; i += 1) {
      const batch = [version(2 * i, 1), version(2 * i + 1, 1), version(i, 1, { currency: 'EUR' })]
      expect(await t.sink.write(batch, sourceAt(3 * i - 1, 3 * i + 2))).toEqual({ written: 3, superseded: 0 })
    }
    expect(asked).toHaveLength(1)
    expect(sent).toHaveLength(20)
    await t.sink.write([version(7, 1)], sourceAt(59, 60))
    expect(asked).toHaveLength(2)
  })

  it('never replaces a newer one: of this batch, of an earlier one, of an earlier process', async () => {
    expect(await t.sink.write([version(0, 5), version(0, 4)], sourceAt(0, 2))).toEqual({
      written: 1,
      superseded: 1,
    })
    expect(await t.sink.write([version(0, 3)], sourceAt(2, 3))).toEqual({ written: 0, superseded: 1 })
    const second = await openStore(t.options)
    expect(await second.sink.write([version(0, 2), version(1, 2)], sourceAt(3, 5))).toEqual({
      written: 1,
      superseded: 1,
    })
    await second.close()
    expect(await stored()).toEqual(['5.5', '2.5'])
  })

  it('is recognised although another consumer had the partition in between', async () => {
    await t.sink.write([version(0, 1)], sourceAt(0, 1))
    const other = await openStore(t.options)
    await other.sink.write([version(5, 9)], sourceAt(1, 2))
    await other.close()
    // This one is back, behind what the other has read; it knows the series up to minute 0 only.
    expect(await t.sink.write([version(5, 3)], sourceAt(2, 3))).toEqual({ written: 0, superseded: 1 })
    expect(await stored()).toEqual(['1.5', '9.5'])
  })

  it('leaves nothing of itself in the value of a newer one; a chart field that the newer one lacks stays', async () => {
    const cap = { marketCap: '7.25' as DecimalString, volume24h: '1' as DecimalString }
    await t.sink.write([version(0, 1, cap)], sourceAt(0, 1))
    await t.sink.write([version(0, 2, { volume24h: '2' as DecimalString })], sourceAt(1, 2))
    expect(await all(t.reader.rows(always))).toEqual([version(0, 2, { volume24h: '2' as DecimalString })])
    const connection = new InfluxConnection(t.options)
    const [answer] = await connection.query('SELECT "price", "volume24h", "marketCap" FROM "quote"')
    connection.close()
    expect(answer?.series[0]?.values).toEqual([[minute(0), 2.5, 2, 7.25]])
  })

  it('that is live still says that there was a price at that time', async () => {
    const backfilled = version(3, 9, { origin: 'backfill' })
    await t.sink.write([version(0, 1), backfilled], sourceAt(0, 2))
    expect((await t.reader.latest()).map(p => p.observedAt)).toEqual([minute(0)])
    expect(await t.sink.write([version(3, 1)], sourceAt(2, 3))).toEqual({ written: 0, superseded: 1 })
    expect((await t.reader.latest()).map(p => [p.observedAt, p.price])).toEqual([[minute(3), '9.5']])
    expect(await stored()).toEqual(['1.5', '9.5'])
  })

  it('of a record beside quotes is treated alike', async () => {
    const flag = (v: number) => flagAt(noon, { receivedAt: EpochMicros(noon + v), evidence: `${v}` })
    await t.sink.market.write([flag(3)], marketSource(0, 1))
    expect(await t.sink.market.write([flag(2), flag(4), flag(1)], marketSource(1, 4))).toEqual({
      ...{ written: 1, superseded: 2 },
    })
    expect((await t.reader.flagsOf(always)).map(f => f.evidence)).toEqual(['4'])
  })

  it('that a second writer put over a newer one is mended by repair', async () => {
    await t.sink.write([version(0, 5)], sourceAt(0, 1))
    const zombie = await openStore(t.options)
    await zombie.sink.repair([version(0, 1)])
    await zombie.close()
    expect(await stored()).toEqual(['1.5'])
    await t.sink.repair([version(0, 5)])
    expect(await stored()).toEqual(['5.5'])
  })

  it('in a backfill of 5,000 moments is found by a few questions', async () => {
    const many = Array.from({ length: 5_000 }, (_, i) => version(i, 1))
    await t.sink.write(many, sourceAt(0, 5_000))
    asked = []
    const older = many.map(q => ({ ...q, receivedAt: EpochMicros(q.receivedAt - 1) }))
    expect(await t.sink.write(older, sourceAt(5_000, 10_000))).toEqual({ written: 0, superseded: 5_000 })
    expect(asked.length).toBeLessThan(10)
    expect(await stored()).toHaveLength(5_000)
  })
})

describe('the line of the original pipeline', () => {
  it('goes into a database of its own, which is made, one field for each coin', async () => {
    const options = storeOptions()
    const coinLineDatabase = `${options.database}_coins`
    const t = await openStore({ ...options, coinLineDatabase })
    const odd = quote({ symbol: 'A,B =C', price: '1e-7' as DecimalString })
    await t.sink.write(
      [quote({ price: '19890.1212' as DecimalString }), { ...odd, currency: 'EUR' }],
      sourceAt(0, 2),
    )
    await t.sink.write([quote({ symbol: 'bad\n', observedAt: EpochMicros(noon + 1) })], sourceAt(2, 3))
    const connection = new InfluxConnection(options)
    const [answer] = await connection.query('SELECT * FROM "cryptos"', coinLineDatabase)
    expect(answer?.series[0]).toMatchObject({
      columns: ['time', 'A,B =C-EUR', 'BTC-USD'],
      values: [[noon, 1e-7, 19890.1212]],
    })
    // One that is behind what is stored is not written there either.
    const old = quote({ receivedAt: EpochMicros(noon), price: '1' as DecimalString })
    await t.sink.write([old], sourceAt(3, 4))
    const [again] = await connection.query('SELECT last("BTC-USD") FROM "cryptos"', coinLineDatabase)
    expect(again?.series[0]?.values).toEqual([[noon, 19890.1212]])
    connection.close()
    await t.close()
  })
})
