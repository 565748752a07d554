import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { AssetId, Credits, DecimalString, EpochMicros, ProviderId } from '../core/brands.ts'
import { quoteVersion } from '../core/records.ts'
import type { Quote } from '../core/records.ts'
import { systemClock } from '../host/clock.ts'
import { flagsOf } from '../processors/sinks/sqlite/rows.ts'
import { storeSchema } from '../processors/sinks/sqlite/schema.ts'
import { openSqliteSink } from '../processors/sinks/sqlite/sink.ts'
import { upsertQuote } from '../processors/sinks/sqlite/sink-sql.ts'
import { quoteJson } from '../topics/codecs/quote-json.ts'
import { median } from './line.ts'
import type { BenchLine } from './line.ts'

const batchRows = 1_000
const batches = 50
const seriesCount = 100
const rounds = 7
const startedAt = Date.UTC(2026, 10, 21) * 1_000

/** One price a second of 100 series, through the codec, so that the sink gets what the topic gives. */
function makeBatch(batch: number): readonly Quote[] {
  return Array.from({ length: batchRows }, (_, row) => {
    const index = batch * batchRows + row
    const observedAt = EpochMicros(startedAt + Math.floor(index / seriesCount) * 1_000_000)
    const quote: Quote = {
      kind: 'quote',
      provider: ProviderId('coinmarketcap'),
      asset: AssetId(`coinmarketcap:${index % seriesCount}`),
      symbol: `C${index % seriesCount}`,
      sourceId: String(index % seriesCount),
      currency: 'USD',
      price: DecimalString(`${84_000 + (index % 997)}.77808276${index % 10}`),
      marketCap: DecimalString(`1672${index}193.4417`),
      volume24h: DecimalString(`38${index}.25`),
      change24h: DecimalString('-1.25'),
      observedAt,
      observedBy: 'source',
      receivedAt: EpochMicros(observedAt + 900_000),
      revision: 0,
      origin: 'live',
      runId: `run-${batch}`,
      credits: Credits(5),
      rawRef: `coinmarketcap/quotes/${batch}#1`,
    }
    return quoteJson.decode(quoteJson.encode(quote))
  })
}

const source = (batch: number) => {
  const first = batch * batchRows
  return { group: 'bench', topic: 'market.quotes.v1', partition: 0, first, end: first + batchRows }
}
const seconds = (since: number): number => (performance.now() - since) / 1_000
const rowsPerSecond = (time: number): number => (batchRows * batches) / time

/** The speed of light: the same rows into the same table by a bare prepared statement, ids and values ready beforehand. */
function bare(file: string, data: readonly (readonly Quote[])[]): number {
  const db = new DatabaseSync(file)
  db.exec(
    'PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY; PRAGMA busy_timeout=0; PRAGMA journal_size_limit=67108864',
  )
  db.exec(storeSchema.join(';'))
  const upsert = db.prepare(upsertQuote)
  const values = data.map((quotes, batch) =>
    quotes.map((q, row) => valuesOf(q, row % seriesCount, batch + 1)),
  )
  const began = performance.now()
  for (const rows of values) {
    db.exec('BEGIN IMMEDIATE')
    for (const row of rows) upsert.run(...row)
    db.exec('COMMIT')
  }
  const time = seconds(began)
  db.close()
  return rowsPerSecond(time)
}

const valuesOf = (q: Quote, series: number, answer: number): (string | number | null)[] => [
  series,
  q.observedAt,
  quoteVersion(q),
  q.price,
  Number(q.price),
  q.marketCap ?? null,
  q.volume24h ?? null,
  q.supply ?? null,
  q.change24h ?? null,
  q.receivedAt,
  flagsOf(q),
  series,
  answer,
]

/** The real sink: `write` alone, and with the roll-up pass that follows it. */
async function real(
  file: string,
  data: readonly (readonly Quote[])[],
): Promise<{ write: number; all: number }> {
  const sink = await openSqliteSink({ file, clock: systemClock })
  const began = performance.now()
  let written = 0
  for (const [batch, quotes] of data.entries()) written += (await sink.write(quotes, source(batch))).written
  const write = seconds(began)
  await sink.foldAll()
  const all = seconds(began)
  await sink.close()
  if (written !== batchRows * batches) throw new Error(`only ${written} rows were written`)
  return { write: rowsPerSecond(write), all: rowsPerSecond(all) }
}

/** [store-rows]: rows/s by the real sink, in rounds interleaved with a bare loop, and the bare loop against itself as control. */
export async function benchStore(): Promise<BenchLine[]> {
  const folder = mkdtempSync(join(tmpdir(), 'cryptos-bench-'))
  try {
    const data = Array.from({ length: batches }, (_, batch) => makeBatch(batch))
    const found = { bare: [] as number[], again: [] as number[], write: [] as number[], all: [] as number[] }
    for (let round = -1; round < rounds; round += 1) {
      const file = (name: string): string => join(folder, `${round}-${name}.db`)
      const one = bare(file('a'), data)
      const sink = await real(file('s'), data)
      const two = bare(file('b'), data)
      // Round -1 only warms up.
      if (round < 0) continue
      found.bare.push(one)
      found.again.push(two)
      found.write.push(sink.write)
      found.all.push(sink.all)
    }
    return linesOf(found)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function linesOf(found: Record<'bare' | 'again' | 'write' | 'all', readonly number[]>): BenchLine[] {
  const speedOfLight = median([...found.bare, ...found.again])
  const control = median(found.bare.map((value, i) => value / (found.again[i] ?? value)))
  const ratio = median(found.write.map((v, i) => (2 * v) / ((found.bare[i] ?? v) + (found.again[i] ?? v))))
  const value = Math.round(median(found.write))
  const unit = 'rows/s'
  return [
    {
      name: 'store-rows',
      value,
      unit,
      bar: 50_000,
      ok: value >= 50_000 && ratio >= 0.5,
      note: `${ratio.toFixed(2)} of a bare prepared-statement loop (bar 0.5), A/A ${control.toFixed(2)}, batches of ${batchRows}, FULL`,
    },
    { name: 'store-rows-bare', value: Math.round(speedOfLight), unit, bar: null, ok: true },
    { name: 'store-rows-with-rollups', value: Math.round(median(found.all)), unit, bar: null, ok: true },
  ]
}

if (import.meta.main) for (const line of await benchStore()) console.log(JSON.stringify(line))
