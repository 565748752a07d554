import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EpochMicros } from '../core/brands.ts'
import { CryptosError } from '../core/errors.ts'
import { marketRecordId, type MarketRecord, quoteId } from '../core/records.ts'
import { systemClock } from '../host/clock.ts'
import { openSqliteReader } from '../processors/sinks/sqlite/reader.ts'
import { openSqliteSink } from '../processors/sinks/sqlite/sink.ts'
import { openMemoryBroker } from '../topics/brokers/memory.ts'
import { consensuses, gaps, metrics, servings, sourceFlags } from '../topics/market-records.contract.ts'
import { quotes } from '../topics/records.contract.ts'
import { marketRecordMessage, quoteMessage } from '../topics/messages.ts'
import { usedTopics } from '../topics/table.ts'
import { loadConfig } from './config/load.ts'
import { createLog } from './log.ts'
import type { StoreSink } from './open-store.ts'
import { Problems } from './pipeline/problems.ts'
import { runProcessing } from './processing.ts'
import { topics } from './stores.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cryptos-processing-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const one = <R>(records: fc.Arbitrary<R>): R => fc.sample(records, { seed: 7, numRuns: 1 })[0]!
const quote = one(quotes)
const records: readonly MarketRecord[] = [metrics, gaps, sourceFlags, consensuses, servings].map(kind =>
  one<MarketRecord>(kind),
)
const always = { from: EpochMicros(0), to: EpochMicros(9e15) }

async function open() {
  const file = join(folder, 'series.db')
  const clock = systemClock
  const broker = await openMemoryBroker({ clock })
  await broker.createTopics(usedTopics(topics))
  await broker.produce([
    quoteMessage(topics.quotes.name, quote),
    ...records.map(r => marketRecordMessage(topics, r)),
  ])
  const config = loadConfig({ CRYPTOS_DATA_DIR: folder, CRYPTOS_BATCH_MAX_AGE_MS: '0' })
  const sink = await openSqliteSink({ file, clock })
  const reader = await openSqliteReader({ file })
  const problems = new Problems()
  const ports = { config, broker, clock, log: createLog('silent', []), onProblem: problems.set }
  const close = async () => {
    await Promise.all([reader.close(), sink.close(), broker.close()])
  }
  return { ports, sink, reader, problems, close }
}

describe('processing', () => {
  it('stores the records of every topic in one file', async () => {
    const { ports, sink, reader, problems, close } = await open()
    const end = new AbortController()
    let left = records.length + 1
    const counting: StoreSink = {
      ...{ name: sink.name, position: sink.position.bind(sink), close: () => sink.close() },
      write: async (rows, source) => stopAfter(await sink.write(rows, source)),
      market: {
        ...{ name: sink.name, close: () => sink.close(), prune: async () => 0 },
        write: async (rows, source) => stopAfter(await sink.market.write(rows, source)),
      },
    }
    const stopAfter = <T extends { written: number }>(result: T): T => {
      left -= result.written
      if (left === 0) end.abort()
      return result
    }
    const counters = await runProcessing({ ...ports, sink: counting }, end.signal)
    expect(counters).toEqual({ received: 6, written: 6, superseded: 0, dead: 0, retried: 0 })
    expect((await Array.fromAsync(reader.rows(always))).map(quoteId)).toEqual([quoteId(quote)])
    for (const record of records) {
      const rows = await Array.fromAsync(reader.allRecords({ kind: record.kind, ...always }))
      expect(rows.map(marketRecordId)).toEqual([marketRecordId(record)])
    }
    expect(problems.list()).toEqual([])
    await close()
  })

  it('ends as a whole with what no other try can mend, whichever topic met it', async () => {
    const { ports, sink, close } = await open()
    const corrupt = new CryptosError('CRY_STORE_CORRUPT', 'the file is torn')
    const market = {
      ...sink.market,
      name: 'sqlite',
      write: () => Promise.reject(corrupt),
      prune: async () => 0,
      close: async () => undefined,
    }
    const torn: StoreSink = {
      name: 'sqlite',
      write: (...a) => sink.write(...a),
      close: async () => undefined,
      market,
    }
    await expect(runProcessing({ ...ports, sink: torn }, new AbortController().signal)).rejects.toBe(corrupt)
    await close()
  })
})
