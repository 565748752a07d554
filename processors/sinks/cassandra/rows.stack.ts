import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stackServers } from '../../../test/stack/servers.ts'
import { AssetId, DecimalString, EpochMicros, ProviderId } from '../../../core/brands.ts'
import { marketRecordId } from '../../../core/records.ts'
import type { QuotaEvent } from '../../../core/records.ts'
import type { Bar, Trade } from '../../../core/stream-records.ts'
import { flagAt, marketSource } from '../../market.contract.ts'
import { quote, sourceAt } from '../../sink.contract.ts'
import { openCassandraReader } from './reader.ts'
import { openSession } from './session.ts'
import type { Row } from './session.ts'
import { openCassandraSink } from './sink.ts'
import { dropStores, storeOptions } from './stack.contract.ts'

const { cassandra } = stackServers
const options = storeOptions(cassandra)
let sink: Awaited<ReturnType<typeof openCassandraSink>>
beforeAll(async () => {
  sink = await openCassandraSink(options)
})
afterAll(async () => {
  await sink.close()
  await dropStores(cassandra)
})

async function rowsOf(table: string): Promise<readonly Row[]> {
  const session = await openSession(options)
  const rows = await session.run({ query: `SELECT * FROM ${options.keyspace}.${table}`, params: [] })
  await session.close()
  return rows
}

const noon = Date.UTC(2026, 10, 21, 12) * 1_000
const trade: Trade = {
  ...{ kind: 'trade', venue: ProviderId('coinbase'), product: 'BTC-USD', tradeId: '7', takerSide: 'buy' },
  ...{ price: DecimalString('84278.10'), size: DecimalString('1e-8'), origin: 'live' },
  ...{ tradedAt: EpochMicros(noon), receivedAt: EpochMicros(noon + 5) },
}
const bar: Bar = {
  ...{ kind: 'bar', venue: ProviderId('coinbase'), product: 'BTC-USD', interval: '1m', count: 2 },
  ...{ windowStart: EpochMicros(noon), open: DecimalString('1.0'), high: DecimalString('3') },
  ...{ low: DecimalString('1.0'), close: DecimalString('2.50'), average: DecimalString('2') },
  ...{ volume: DecimalString('5'), vwap: DecimalString('2.1'), complete: false, origin: 'live' },
  ...{ receivedAt: EpochMicros(noon + 5), revision: 0 },
}
const event: QuotaEvent = {
  ...{ kind: 'quota-event', ledger: 'l', sequence: 10_001, scope: 's', provider: ProviderId('kraken') },
  ...{ at: EpochMicros(noon), what: 'settled', why: 'because', credits: 1, window: 'minute', limit: null },
  ...{ used: 1, reserved: 0, resetsAt: null },
}

describe('rows of streams and of the quota in Cassandra', () => {
  it('trades are stored once each, the larger version of a batch or of the store', async () => {
    const later = { ...trade, price: DecimalString('84279'), receivedAt: EpochMicros(noon + 9) }
    expect(await sink.trades.write([trade, later, trade], sourceAt(0, 3))).toEqual({
      written: 1,
      superseded: 2,
    })
    await sink.trades.write([trade, { ...trade, tradeId: '8' }], sourceAt(3, 5))
    const rows = await rowsOf('trades')
    expect(rows.map(r => [r['trade_id'], String(r['price']), Number(r['size_double'])])).toEqual([
      ['7', '84279', 1e-8],
      ['8', '84278.10', 1e-8],
    ])
    expect(rows.map(r => r['detail'])).toEqual([
      `84279\t1e-8\tbuy\t${noon + 9}\tlive`,
      `84278.10\t1e-8\tbuy\t${noon + 5}\tlive`,
    ])
  })

  it('bars are replaced until they are complete', async () => {
    const done = { ...bar, complete: true, close: DecimalString('2.75'), revision: 1 }
    await sink.bars.write([bar], sourceAt(0, 1))
    await sink.bars.write([done], sourceAt(1, 2))
    await sink.bars.write([bar], sourceAt(2, 3))
    const rows = await rowsOf('bars')
    expect(rows.map(r => [String(r['close']), r['complete'], Number(r['month'])])).toEqual([
      ['2.75', true, 202611],
    ])
  })

  it('quota events lie in the order of their ledger', async () => {
    await sink.quotaEvents.write([{ ...event, sequence: 10_002 }, event, event], sourceAt(0, 3))
    const rows = await rowsOf('quota_events')
    expect(rows.map(r => [Number(r['bucket']), Number(r['sequence'])])).toEqual([
      [1, 10_001],
      [1, 10_002],
    ])
    expect(JSON.parse(String(rows[0]?.['body']))).toEqual(event)
  })
})

describe('rows by their keys in Cassandra', () => {
  const moments = Array.from({ length: 1_500 }, (_, i) => EpochMicros(noon + i * 7_200_000_003))

  it('are found by many moments of one series over years, and nothing else', async () => {
    const rows = moments.flatMap(observedAt => [
      quote({ observedAt }),
      quote({ observedAt, asset: AssetId('xrp') }),
    ])
    await sink.write(rows, sourceAt(0, rows.length))
    const reader = await openCassandraReader(options)
    const odd = moments.filter((_, i) => i % 2 === 1)
    const found = await Array.fromAsync(reader.rowsAt(quote(), [...odd, EpochMicros(noon + 1)]))
    expect(found).toEqual(odd.map(observedAt => quote({ observedAt })))
    const none = reader.rowsAt({ ...quote(), asset: AssetId('test:none') }, moments)
    expect(await Array.fromAsync(none)).toEqual([])
    await reader.close()
  })

  it('are found by many ids, and nothing else', async () => {
    const flags = moments.map(at => flagAt(at))
    await sink.market.write(flags, marketSource(0, flags.length))
    const reader = await openCassandraReader(options)
    const ids = flags.slice(0, 1_100).map(marketRecordId)
    const found = await Array.fromAsync(reader.recordsOf([...ids, `${ids[0]}x`, "'", '', 'gap|x']))
    expect(found).toEqual(flags.slice(0, 1_100))
    await reader.close()
  })

  it('of one version are read back as one of them, and not as a mixture', async () => {
    const at = (i: number) => ({ asset: AssetId('test:tie'), observedAt: EpochMicros(noon + i) })
    const later = { receivedAt: EpochMicros(noon + 502), revision: 0 }
    const corrected = { receivedAt: EpochMicros(noon + 501), revision: 1 }
    // In each cell the larger of the two stays: so in each pair the cells of both would be taken.
    const pairs = [...Array(20).keys()].map(i => [
      quote({ ...at(i), ...later, price: DecimalString(`${1_000 + i}`), symbol: 'A' }),
      quote({ ...at(i), ...corrected, price: DecimalString(`${2_000 - i}`), symbol: 'Z' }),
    ])
    const others = await Promise.all([1, 2].map(() => openCassandraSink(options)))
    for (const [i, [a, b]] of pairs.entries()) {
      const inTurn = i % 2 === 0 ? [a, b] : [b, a]
      for (const [k, q] of inTurn.entries()) if (q) await others[k]?.write([q], sourceAt(i, i + 1))
    }
    const [row] = (await rowsOf('quotes')).filter(r => r['asset'] === 'test:tie')
    // The tie happened: received_at of the one, price of the other.
    expect([Number(row?.['received_at']), String(row?.['price'])]).toEqual([noon + 502, '2000'])
    const reader = await openCassandraReader(options)
    const read = await Array.fromAsync(
      reader.rowsAt(
        quote(at(0)),
        pairs.map((_, i) => EpochMicros(noon + i)),
      ),
    )
    expect(read).toHaveLength(20)
    for (const [i, q] of read.entries()) expect(pairs[i]).toContainEqual(q)
    expect((await reader.latest({ asset: at(0).asset }))[0]?.price).toBe(read.at(-1)?.price)
    await Promise.all([reader.close(), ...others.map(other => other.close())])
  })

  it('written by many processes that each know nothing of the other leave the newest moment as the latest', async () => {
    const others = await Promise.all([1, 2, 3].map(() => openCassandraSink(options)))
    const asset = AssetId('test:race')
    const at = (i: number) =>
      quote({ asset, observedAt: EpochMicros(noon + i), receivedAt: EpochMicros(noon + 99 - i) })
    for (let i = 30; i > 0; i -= 3)
      await Promise.all(others.map((other, k) => other.write([at(i - k)], sourceAt(i, i + 1))))
    const reader = await openCassandraReader(options)
    expect((await reader.latest({ asset })).map(p => p.observedAt)).toEqual([noon + 30])
    await Promise.all([reader.close(), ...others.map(other => other.close())])
  })
})
