import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { EpochMicros } from '../../../core/brands.ts'
import type { MarketRecord } from '../../../core/records.ts'
import { fromEpochMs } from '../../../core/time.ts'
import { VirtualClock } from '../../../core/virtual-clock.ts'
import { SqlDb } from '../../../host/sqlite.ts'
import { flagAt, marketSinkContract, marketSource } from '../../market.contract.ts'
import { quote, sourceAt } from '../../sink.contract.ts'
import { openSqliteReader } from './reader.ts'
import { storeSchema } from './schema.ts'
import { openSqliteSink } from './sink.ts'

const root = mkdtempSync(join(tmpdir(), 'cryptos-market-'))
const newFile = (): string => join(mkdtempSync(join(root, 'x')), 'series.db')
const clock = new VirtualClock(fromEpochMs(Date.UTC(2026, 10, 21, 12)))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const always = { from: EpochMicros(0), to: EpochMicros(9e15) }
const flags = { kind: 'source-flag', ...always } as const

async function openStore(file = newFile()) {
  const sink = await openSqliteSink({ file, clock })
  const reader = await openSqliteReader({ file })
  const close = async (): Promise<void> => {
    await reader.close()
    await sink.close()
  }
  return { sink, reader, close }
}

marketSinkContract('sqlite', async () => {
  const { sink, reader, close } = await openStore()
  return { sink: sink.market, reader, close }
})

describe('market records in sqlite', () => {
  it('lie beside the quotes, each with a position of its own, and can be written at once', async () => {
    const { sink, reader, close } = await openStore()
    const at = (i: number) => EpochMicros(1e15 + i)
    await Promise.all(
      Array.from({ length: 50 }, (_, i) => [
        sink.write([quote({ observedAt: at(i) })], sourceAt(i, i + 1)),
        sink.market.write([flagAt(at(i))], marketSource(i, i + 1)),
      ]).flat(),
    )
    expect(await Array.fromAsync(reader.rows(always))).toHaveLength(50)
    expect(await Array.fromAsync(reader.allRecords(flags))).toHaveLength(50)
    expect(await sink.position('sink.test', 'market.quotes.v1', 0)).toBe(50)
    expect(await sink.market.position?.('sink.test.market', 'market.metrics.v1', 0)).toBe(50)
    await close()
  })

  it('and their position are stored together or not at all', async () => {
    const { sink, reader, close } = await openStore()
    const bad = { ...flagAt(2), asset: undefined } as unknown as MarketRecord
    await expect(sink.market.write([flagAt(1), bad], marketSource(0, 2))).rejects.toMatchObject({
      code: 'CRY_INTERNAL',
    })
    expect(await sink.market.position?.('sink.test.market', 'market.metrics.v1', 0)).toBeUndefined()
    expect(await Array.fromAsync(reader.allRecords(flags))).toEqual([])
    expect(await reader.latestRecords('source-flag')).toEqual([])
    await close()
  })

  it('ring the bell, so that a reader sees them soon', async () => {
    const { sink, reader, close } = await openStore()
    const seen = Promise.withResolvers<number>()
    const stop = reader.onChange(
      () => void reader.flagsOf(always).then(f => f.length && seen.resolve(f.length)),
    )
    await sink.market.write([flagAt(1)], marketSource(0, 1))
    expect(await seen.promise).toBe(1)
    stop()
    await close()
  })

  it('get their tables in a store of an earlier version, which keeps its quotes', async () => {
    const file = newFile()
    const old = new SqlDb(file, { synchronous: 'FULL' })
    old.exec(storeSchema[0] ?? '')
    old.exec('PRAGMA user_version=1')
    old.exec(`INSERT INTO series VALUES(1, 'kraken', 'bitcoin', 'USD'); INSERT INTO label VALUES(1, 'BTC', 'X');
      INSERT INTO answer VALUES(1, 'run', 1, 'raw');
      INSERT INTO quote VALUES(1, 5, 6, '1.0', 1.0, NULL, NULL, NULL, NULL, 6, 0, 1, 1)`)
    old.close()
    const { sink, reader, close } = await openStore(file)
    expect((await Array.fromAsync(reader.rows(always))).map(q => q.price)).toEqual(['1.0'])
    expect(await sink.market.write([flagAt(5)], marketSource(0, 1))).toEqual({ written: 1, superseded: 0 })
    await close()
  })

  it('are found by an index, whatever is asked for', () => {
    const db = new SqlDb(newFile(), { synchronous: 'FULL' })
    for (const step of storeSchema) db.exec(step)
    const plan = (where: string, values: string[]) =>
      db
        .prepare(
          `EXPLAIN QUERY PLAN SELECT body FROM market_record WHERE kind=? AND at>=? AND at<?${where} ORDER BY at DESC, id DESC LIMIT ?`,
        )
        .all('gap', 0, 9, ...values, 10)
        .map(row => String(row['detail']))
        .join('; ')
    expect(plan('', [])).toMatch(/^SEARCH market_record USING INDEX market_record_at [^;]*$/)
    expect(plan(' AND market_record.asset=? AND market_record.currency=?', ['bitcoin', 'USD'])).toMatch(
      /^SEARCH market_record USING INDEX market_record_asset [^;]*$/,
    )
    db.close()
  })
})
