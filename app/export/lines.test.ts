import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AssetId, DecimalString, EpochMicros, ProviderId } from '../../core/brands.ts'
import type { MarketRecord } from '../../core/records.ts'
import { parseIso } from '../../core/time.ts'
import { systemClock } from '../../host/clock.ts'
import { flagAt } from '../../processors/market.contract.ts'
import { quote } from '../../processors/sink.contract.ts'
import { openSqliteReader, type StoreReader } from '../../processors/sinks/sqlite/reader.ts'
import { openSqliteSink } from '../../processors/sinks/sqlite/sink.ts'
import { type ExportKind, exportKinds, exportLines } from './lines.ts'

const noon = parseIso('2026-11-21T12:00:00Z')
const folder = mkdtempSync(join(tmpdir(), 'cryptos-export-'))
const source = { group: 'g', topic: 't', partition: 0, first: 0, end: 1 }
const bitcoin = { asset: AssetId('bitcoin'), currency: 'USD' }
const kraken = ProviderId('kraken')
const answered = { receivedAt: noon, revision: 0, origin: 'live', runId: 'run', rawRef: 'raw' } as const
const beside: readonly MarketRecord[] = [
  {
    ...{ kind: 'metric', provider: kraken, name: 'assets', value: DecimalString('9000'), observedAt: noon },
    ...{ observedBy: 'source', credits: 0 as never },
    ...answered,
  },
  {
    ...{ kind: 'gap', provider: kraken, dataset: 'quotes', ...bitcoin, sourceId: 'X', expectedAt: noon },
    ...{ state: 'missing', reason: '=1+1, "null"' },
    ...answered,
  },
  {
    ...{
      kind: 'consensus',
      ...bitcoin,
      symbol: 'BTC',
      at: noon,
      price: DecimalString('2.50'),
      mad: DecimalString('0'),
    },
    ...{ spreadPercent: DecimalString('0.1'), isDivergent: false, receivedAt: noon, origin: 'live' },
    sources: [
      {
        provider: ProviderId('coinbase'),
        price: DecimalString('2.50'),
        observedAt: noon,
        ageMs: 0,
        excluded: null,
      },
      { provider: kraken, price: DecimalString('9'), observedAt: noon, ageMs: 0, excluded: 'outlier' },
    ],
  },
  {
    ...{ kind: 'serving', role: 'spot', ...bitcoin, at: noon, provider: null, price: null, observedAt: null },
    ...{ skipped: [{ provider: kraken, why: 'frozen' }], receivedAt: noon, origin: 'live' },
  },
]

let reader: StoreReader
beforeAll(async () => {
  const file = join(folder, 'series.db')
  const sink = await openSqliteSink({ file, clock: systemClock })
  const rows = ['kraken', 'coinbase'].flatMap(provider =>
    Array.from({ length: 1_200 }, (_, i) =>
      quote({ provider: ProviderId(provider), observedAt: EpochMicros(noon + i) }),
    ),
  )
  await sink.write(rows, source)
  const doubts = [0, 999, 1_000, 1_199].map(i => flagAt(noon + i))
  const other = [flagAt(noon + 7, { asset: AssetId('ethereum') }), flagAt(noon + 8, { currency: 'EUR' })]
  await sink.market.write([...doubts, ...other, flagAt(noon + 999, { flag: 'outlier' }), ...beside], source)
  await sink.close()
  reader = await openSqliteReader({ file })
})
afterAll(async () => {
  await reader.close()
  rmSync(folder, { recursive: true })
})

const ask = async (kind: ExportKind, more: { asJson?: boolean; asset?: AssetId } = {}) => {
  const { asJson = false, ...asset } = more
  const counted = { rows: 0 }
  const range = { from: EpochMicros(0), to: EpochMicros(9e15), ...asset }
  const lines = await Array.fromAsync(exportLines(reader, { kind, range, asJson }, counted))
  return { lines: lines.map(line => line.trimEnd()), rows: counted.rows }
}

describe('an export', () => {
  it('shows with each price the doubts about it, and about it alone', async () => {
    const { lines, rows } = await ask('quotes')
    expect(rows).toBe(2_400)
    expect(lines[0]?.split(',').at(-1)).toBe('flags')
    const flagged = lines.slice(1).filter(line => !line.endsWith(','))
    expect(flagged.map(line => [line.split(',')[0], line.split(',')[5], line.split(',').at(-1)])).toEqual([
      ['kraken', '2026-11-21T12:00:00.000000Z', 'frozen-value'],
      ['kraken', '2026-11-21T12:00:00.000999Z', 'frozen-value;outlier'],
      ['kraken', '2026-11-21T12:00:00.001000Z', 'frozen-value'],
      ['kraken', '2026-11-21T12:00:00.001199Z', 'frozen-value'],
    ])
  })

  it('gives whole records as JSON, the doubts as a list', async () => {
    const { lines } = await ask('quotes', { asJson: true })
    const records = lines.map(line => JSON.parse(line))
    expect(records.filter(r => r.flags.length > 0)).toHaveLength(4)
    expect(records.find(r => r.provider === 'kraken')).toEqual({
      ...quote({ observedAt: noon }),
      flags: ['frozen-value'],
    })
  })

  it.each([
    ['metrics', 'kraken,assets,,9000,2026-11-21T12:00:00.000000Z,2026-11-21T12:00:00.000000Z,live'],
    [
      'gaps',
      `kraken,quotes,bitcoin,X,USD,2026-11-21T12:00:00.000000Z,missing,"'=1+1, ""null""",2026-11-21T12:00:00.000000Z,live`,
    ],
    [
      'consensus',
      'bitcoin,BTC,USD,2026-11-21T12:00:00.000000Z,2.50,0,0.1,false,coinbase,kraken: outlier,2026-11-21T12:00:00.000000Z,live',
    ],
    [
      'serving',
      'spot,bitcoin,USD,2026-11-21T12:00:00.000000Z,,,,kraken: frozen,2026-11-21T12:00:00.000000Z,live',
    ],
  ] as const)('gives %s too', async (kind, line) => {
    const { lines, rows } = await ask(kind)
    expect(lines[1]).toBe(line)
    expect([rows, lines.length]).toEqual([1, 2])
    const [json] = (await ask(kind, { asJson: true })).lines
    expect(beside).toContainEqual(JSON.parse(json ?? ''))
  })

  it('gives flags in time order, and of one asset only where that is asked for', async () => {
    expect((await ask('flags')).rows).toBe(7)
    const { lines } = await ask('flags', { asset: AssetId('ethereum') })
    expect(lines[1]).toBe(
      'kraken,ethereum,USD,2026-11-21T12:00:00.000007Z,frozen-value,2026-11-21T12:00:00.000000Z,the same for 2 h,2026-11-21T12:00:00.000012Z,live',
    )
  })

  it('has a head for every kind where nothing is stored', async () => {
    for (const kind of exportKinds.filter(k => k !== 'metrics'))
      expect((await ask(kind, { asset: AssetId('test:none') })).lines).toHaveLength(1)
  })
})
