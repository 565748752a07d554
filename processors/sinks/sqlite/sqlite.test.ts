import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Decimal } from 'decimal.js'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { EpochMicros } from '../../../core/brands.ts'
import { fromEpochMs } from '../../../core/time.ts'
import { VirtualClock } from '../../../core/virtual-clock.ts'
import { SqlDb } from '../../../host/sqlite.ts'
import { positiveDecimals } from '../../../topics/records.contract.ts'
import { all, quote, sinkContract, sourceAt } from '../../sink.contract.ts'
import { compareDecimals } from './compare.ts'
import { openSqliteReader } from './reader.ts'
import { openSqliteSink } from './sink.ts'

const root = mkdtempSync(join(tmpdir(), 'cryptos-sink-'))
const newFile = (): string => join(mkdtempSync(join(root, 'x')), 'series.db')
const clock = new VirtualClock(fromEpochMs(Date.UTC(2026, 10, 21, 12)))
afterAll(() => rmSync(root, { recursive: true, force: true }))

sinkContract('sqlite', async () => {
  const file = newFile()
  const sink = await openSqliteSink({ file, clock })
  const reader = await openSqliteReader({ file })
  const close = async (): Promise<void> => {
    await reader.close()
    await sink.close()
  }
  return { sink, reader, settle: () => sink.foldAll(), close }
})

describe('sqlite sink', () => {
  it('folds at open what a crash left between the rows and the roll-up pass', async () => {
    const file = newFile()
    const sink = await openSqliteSink({ file, clock })
    await sink.write([quote()], sourceAt(0, 1))
    const reader = await openSqliteReader({ file })
    // The rows are durable, the pass has not run yet: this is what a kill -9 would leave.
    expect(await all(reader.rows({ from: EpochMicros(0), to: EpochMicros(9e15) }))).toHaveLength(1)
    expect(await reader.latest()).toHaveLength(0)
    const after = await openSqliteSink({ file, clock })
    expect(await reader.latest()).toHaveLength(1)
    expect(await after.position('sink.test', 'market.quotes.v1', 0)).toBe(1)
    await Promise.all([reader.close(), after.close(), sink.close()])
  })

  it('stores rows and position together or not at all', async () => {
    const file = newFile()
    const sink = await openSqliteSink({ file, clock })
    const bad = { ...quote(), runId: undefined as unknown as string }
    await expect(sink.write([quote(), bad], sourceAt(0, 2))).rejects.toMatchObject({ code: 'CRY_INTERNAL' })
    expect(await sink.position('sink.test', 'market.quotes.v1', 0)).toBeUndefined()
    // The dictionaries forgot the ids of the rolled-back batch: the same names get rows of their own again.
    expect(await sink.write([quote()], sourceAt(0, 1))).toEqual({ written: 1, superseded: 0 })
    const reader = await openSqliteReader({ file })
    expect(await all(reader.rows({ from: EpochMicros(0), to: EpochMicros(9e15) }))).toEqual([quote()])
    await Promise.all([reader.close(), sink.close()])
  })

  it('makes no views wait for ever: after many batches in one turn a write folds first', async () => {
    const file = newFile()
    const sink = await openSqliteSink({ file, clock })
    const reader = await openSqliteReader({ file })
    for (let i = 0; i < 65; i += 1)
      await sink.write([quote({ observedAt: EpochMicros(1e15 + i) })], sourceAt(i, i + 1))
    expect((await reader.latest())[0]?.observedAt).toBeGreaterThanOrEqual(1e15 + 63)
    await Promise.all([reader.close(), sink.close()])
  })

  it('rings the bell after the pass, so that a reader that wakes sees the change', async () => {
    const file = newFile()
    const sink = await openSqliteSink({ file, clock })
    const reader = await openSqliteReader({ file })
    const seen = Promise.withResolvers<number>()
    const stop = reader.onChange(() => {
      reader.newestChange().then(id => id > 0 && seen.resolve(id), seen.reject)
    })
    await sink.write([quote()], sourceAt(0, 1))
    expect(await seen.promise).toBeGreaterThan(0)
    stop()
    await Promise.all([reader.close(), sink.close()])
  })

  it('gives a reader that can not write', async () => {
    const file = newFile()
    await (await openSqliteSink({ file, clock })).close()
    const db = new SqlDb(file, { synchronous: 'FULL', readOnly: true })
    expect(() => db.exec('DELETE FROM quote')).toThrow(
      expect.objectContaining({ code: 'CRY_STORE_UNWRITABLE' }),
    )
    db.close()
  })

  it('says what is wrong with its file, to the sink and to the reader', async () => {
    const both = (file: string): Promise<unknown>[] => [
      openSqliteSink({ file, clock }),
      openSqliteReader({ file }),
    ]
    const corrupt = newFile()
    writeFileSync(corrupt, 'this is no database at all, but long enough to look at'.repeat(50))
    for (const opened of both(corrupt))
      await expect(opened).rejects.toMatchObject({ code: 'CRY_STORE_CORRUPT' })
    const newer = newFile()
    await (await openSqliteSink({ file: newer, clock })).close()
    const db = new SqlDb(newer, { synchronous: 'FULL' })
    db.exec('PRAGMA user_version=99')
    db.close()
    for (const opened of both(newer)) await expect(opened).rejects.toMatchObject({ code: 'CRY_STORE_NEWER' })
    await expect(openSqliteSink({ file: join(corrupt, 'x.db'), clock })).rejects.toMatchObject({
      code: 'CRY_STORE_UNWRITABLE',
    })
    await expect(openSqliteReader({ file: newFile() })).rejects.toMatchObject({ code: 'CRY_CONFIG_INVALID' })
  })

  it('keeps its file private', async () => {
    const file = newFile()
    await (await openSqliteSink({ file, clock })).close()
    expect(statSync(file).mode & 0o077).toBe(0)
  })
})

describe('order of decimals', () => {
  it('is that of an exact library, also where floats are equal', () => {
    Decimal.set({ precision: 100 })
    const near = positiveDecimals.map(d => [
      d,
      `${d.split(/[eE]/)[0]?.includes('.') ? d.split(/[eE]/)[0] : `${d.split(/[eE]/)[0]}.`}0001${d.match(/[eE].*/)?.[0] ?? ''}`,
    ])
    fc.assert(
      fc.property(fc.oneof(fc.tuple(positiveDecimals, positiveDecimals), near), ([a, b]) => {
        const left = a as typeof positiveDecimals extends fc.Arbitrary<infer D> ? D : never
        const right = b as typeof left
        expect(Math.sign(compareDecimals(left, right))).toBe(new Decimal(left).cmp(right))
        expect(Math.sign(compareDecimals(right, left))).toBe(new Decimal(right).cmp(left))
      }),
      { numRuns: 500 },
    )
  })
})
