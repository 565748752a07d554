import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { killServer, proxyOf, restartServer, stackServers } from '../../../test/stack/servers.ts'
import { AssetId, DecimalString, EpochMicros } from '../../../core/brands.ts'
import { classify, isCryptosError } from '../../../core/errors.ts'
import type { QuoteSink } from '../../../core/ports/sink.ts'
import { quoteId } from '../../../core/records.ts'
import type { Quote } from '../../../core/records.ts'
import { quote, sourceAt } from '../../sink.contract.ts'
import { openCassandraReader } from './reader.ts'
import { openSession } from './session.ts'
import { openCassandraSink } from './sink.ts'
import { dropStores, storeOptions } from './stack.contract.ts'

const { cassandra } = stackServers
/** Of this file; `npm run test:soak` has more. */
const kills = Math.max(2, Math.round(Number(process.env['CRYPTOS_KILLS'] ?? 20) / 5))
const always = { from: EpochMicros(0), to: EpochMicros(9e15) }
const start = Date.UTC(2026, 10, 21) * 1_000
const recoveryMs = 30_000

/** Rows of many series, mixed as a backlog has them. */
const batchOf = (number: number): readonly Quote[] =>
  Array.from({ length: 200 }, (_, i) =>
    quote({
      asset: AssetId(`test:${i % 20}`),
      price: DecimalString(`${number}.${i}0`),
      observedAt: EpochMicros(start + number * 1_000_000 + Math.floor(i / 20)),
      receivedAt: EpochMicros(start + number * 1_000_000 + 500),
    }),
  )

/** Writes batches until it is told to stop; what was refused is written again, as `deliver` does. */
async function writeOn(sink: QuoteSink, next: () => number, until: AbortSignal) {
  const seen = { acked: [] as Quote[], refusals: 0, codes: new Set<string>(), lastAckAt: 0 }
  while (!until.aborted) {
    const batch = batchOf(next())
    for (let acked = false; !acked; ) {
      try {
        await sink.write(batch, sourceAt(0, batch.length))
        acked = true
        seen.acked.push(...batch)
        seen.lastAckAt = performance.now()
      } catch (error) {
        expect(['retry', 'wait'], String(error)).toContain(classify(error))
        seen.refusals += 1
        seen.codes.add(isCryptosError(error) ? error.code : 'none')
        await sleep(100)
      }
    }
  }
  return seen
}

const stored = async (options: ReturnType<typeof storeOptions>): Promise<readonly Quote[]> => {
  const reader = await openCassandraReader(options)
  const rows = await Array.fromAsync(reader.rows(always))
  await reader.close()
  return rows
}
async function countRows(options: ReturnType<typeof storeOptions>): Promise<number> {
  const session = await openSession(options)
  const rows = await session.run({ query: `SELECT price FROM ${options.keyspace}.quotes`, params: [] })
  await session.close()
  return rows.length
}
const byId = (rows: readonly Quote[]): readonly Quote[] =>
  [...rows].sort((a, b) => (quoteId(a) < quoteId(b) ? -1 : 1))

afterAll(() => dropStores(cassandra))

describe('a Cassandra that dies', () => {
  it(
    'has every acknowledged row after kill -9, again and again, by the same sink',
    async () => {
      const options = storeOptions(cassandra)
      const sink = await openCassandraSink(options)
      const done = new AbortController()
      let number = 0
      const writers = [1, 2, 3].map(() => writeOn(sink, () => number++, done.signal))
      const recoveries: number[] = []
      for (let i = 0; i < kills; i += 1) {
        await sleep(500 + Math.random() * 500)
        await killServer('cassandra')
        await restartServer('cassandra')
        const began = performance.now()
        const before = number
        await expect.poll(() => number, { timeout: recoveryMs, interval: 50 }).toBeGreaterThan(before + 3)
        recoveries.push(performance.now() - began)
      }
      done.abort()
      const seen = await Promise.all(writers)
      const acked = seen.flatMap(s => s.acked)
      expect(seen.reduce((sum, s) => sum + s.refusals, 0)).toBeGreaterThanOrEqual(kills)
      const rows = byId(await stored(options))
      expect(rows).toEqual(byId(acked))
      console.error(
        `${kills} kills, ${acked.length} rows acknowledged, 0 lost; the sink wrote again after ${recoveries.map(ms => (ms / 1_000).toFixed(1)).join(', ')} s`,
      )
      await sink.close()
    },
    300_000 + kills * 60_000,
  )

  it('is told as unreachable while it is down, to who opens and to who writes, and is used again when it is there', async () => {
    const options = storeOptions(cassandra)
    const sink = await openCassandraSink(options)
    await killServer('cassandra')
    for (const open of [openCassandraSink, openCassandraReader])
      await expect(open(options)).rejects.toMatchObject({ code: 'CRY_SERVER_UNREACHABLE' })
    await expect(sink.write([quote()], sourceAt(0, 1))).rejects.toMatchObject({
      code: 'CRY_SERVER_UNREACHABLE',
    })
    await restartServer('cassandra')
    await expect
      .poll(
        () =>
          sink.write([quote()], sourceAt(0, 1)).then(
            r => r.written,
            () => 0,
          ),
        { timeout: recoveryMs },
      )
      .toBe(1)
    expect(await stored(options)).toEqual([quote()])
    await sink.close()
  })
})

describe('a Cassandra behind a bad network', () => {
  it('stored what it could not confirm: writing it again ends in the same rows', async () => {
    const options = storeOptions(cassandra)
    await (await openCassandraSink(options)).close()
    const proxy = await proxyOf('cassandra')
    const sink = await openCassandraSink({ ...options, hosts: [proxy.address] })
    // So that the statements are prepared: else the silence would meet that first, and nothing be stored.
    await sink.write(batchOf(0), sourceAt(0, 200))
    const silence = await proxy.toxic({ type: 'timeout', attributes: { timeout: 0 } })
    const batch = batchOf(1)
    await expect(sink.write(batch, sourceAt(0, 200))).rejects.toMatchObject({
      code: 'CRY_SERVER_UNREACHABLE',
    })
    // The fault hit: the rows are there, and nobody was told. Readers find them with the marks that are written after them.
    expect(await countRows(options)).toBe(400)
    await silence.remove()
    await proxy.cut()
    await proxy.heal()
    await expect
      .poll(
        () =>
          sink.write(batch, sourceAt(0, 200)).then(
            r => r.written,
            () => 0,
          ),
        { timeout: recoveryMs },
      )
      .toBe(200)
    expect(byId(await stored(options))).toEqual(byId([...batchOf(0), ...batch]))
    await sink.close()
  })
})
