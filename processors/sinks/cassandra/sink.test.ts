import { expect, it } from 'vitest'
import { AssetId, EpochMicros } from '../../../core/brands.ts'
import { VirtualClock } from '../../../core/virtual-clock.ts'
import { quote, sourceAt } from '../../sink.contract.ts'
import type { Session, Statement } from './session.ts'
import { CassandraSink } from './sink.ts'
import { Writer } from './writer.ts'

const noon = Date.UTC(2026, 10, 21, 12) * 1_000

/** A sink over a session that counts the statements of each table. */
function counted() {
  const clock = new VirtualClock(EpochMicros(noon))
  const seen: Record<string, number> = {}
  const batch = async (statements: readonly Statement[]): Promise<void> => {
    for (const { query } of statements) {
      const table = /k\.(\w+)/.exec(query)?.[1] ?? query
      seen[table] = (seen[table] ?? 0) + 1
    }
  }
  const session = { keyspace: 'k', batch } as unknown as Session
  const sink = new CassandraSink(session, new Writer(session), { clock })
  const write = async (from: number) => {
    for (const table of Object.keys(seen)) delete seen[table]
    const rows = [0, 1, 2, 3].flatMap(i =>
      ['a', 'b', 'c'].map(name =>
        quote({ asset: AssetId(`test:${name}`), observedAt: EpochMicros(noon + from + i) }),
      ),
    )
    await sink.write(rows, sourceAt(0, rows.length))
    return { ...seen }
  }
  return { clock, write }
}

it('marks each series once for a batch, and only where there is news; after an hour everything is told again', async () => {
  const { clock, write } = counted()
  expect(await write(0)).toEqual({ quotes: 12, latest: 3, series: 3, names: 1 })
  expect(await write(0)).toEqual({ quotes: 12 })
  expect(await write(-9)).toEqual({ quotes: 12 })
  expect(await write(1)).toEqual({ quotes: 12, latest: 3 })
  clock.advance(3_600_001)
  expect(await write(1)).toEqual({ quotes: 12, latest: 3, series: 3, names: 1 })
})
