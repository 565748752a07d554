import { describe, expect, it } from 'vitest'
import { EpochMicros } from '../../../core/brands.ts'
import { pruneMarket } from './market-prune.ts'
import { shards } from './market-rows.ts'
import type { Row, Session, Statement } from './session.ts'

const dayMicros = 86_400_000_000
const days = [100, 101, 102]
const pruning = {
  ...{ kind: 'serving' as const, before: EpochMicros(102 * dayMicros) },
  now: EpochMicros(200 * dayMicros),
}

/** Three days with one row in each shard, the one at `day 101, shard 0` being the latest of its series. */
function store(fails: (day: number, shard: number) => boolean) {
  const seen = { asked: 0, deletions: 0, forgotten: [] as number[] }
  const rows = async function* (query: string, [shard, day]: readonly unknown[]): AsyncIterable<unknown> {
    if (query.includes('market_latest')) {
      yield { id: 'latest' }
      return
    }
    seen.asked += 1
    if (fails(Number(day), Number(shard))) throw new Error(`day ${day}, shard ${shard}`)
    if (day === 102) return
    yield { at: Number(day) * dayMicros, id: day === 101 && shard === 0 ? 'latest' : 'x', version: 1 }
  }
  const session = {
    keyspace: 'k',
    pages: rows,
    run: async ({ query, params }: Statement) => {
      if (query.startsWith('SELECT')) return days.map(day => ({ day }) as unknown as Row)
      seen.forgotten.push(Number(params[2]))
      return []
    },
    batch: async (deletions: readonly Statement[]) => {
      seen.deletions += deletions.length
    },
  }
  return { seen, session: session as unknown as Session }
}

describe('pruning of Cassandra', () => {
  it('forgets the name of a day that has nothing any more', async () => {
    const { seen, session } = store(() => false)
    expect(await pruneMarket(session, pruning)).toBe(2 * shards - 1)
    expect(seen.forgotten).toEqual([100])
  })

  it('goes on after a partition that fails, keeps the name of its day, and tells of it at the end', async () => {
    const { seen, session } = store((day, shard) => day === 100 && shard === 2)
    await expect(pruneMarket(session, pruning)).rejects.toThrow('day 100, shard 2')
    expect(seen).toEqual({ asked: 3 * shards, deletions: 2 * shards - 2, forgotten: [] })
  })

  it('ends where one after another fails', async () => {
    const { seen, session } = store((_, shard) => shard > 3)
    await expect(pruneMarket(session, pruning)).rejects.toThrow('day 100')
    expect(seen.asked).toBe(7)
  })
})
