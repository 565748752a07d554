import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../../../core/virtual-clock.ts'
import { EpochMicros } from '../../../core/brands.ts'
import { Known } from './known.ts'
import type { Session, Statement } from './session.ts'
import { Partitions, Writer } from './writer.ts'

const statement = (n: number): Statement => ({ query: 'INSERT', params: [n] })

function partitions(count: number, rowsEach: number): Partitions {
  const made = new Partitions()
  for (let row = 0; row < rowsEach; row += 1)
    for (let p = 0; p < count; p += 1) made.add(`p${p}`, statement(p))
  return made
}

/** A session that counts what is on its way. */
function counting(fail?: (n: number) => boolean) {
  const seen = { batches: 0, rows: 0, now: 0, most: 0 }
  const batch = async (statements: readonly Statement[]): Promise<void> => {
    seen.now += 1
    seen.most = Math.max(seen.most, seen.now)
    seen.batches += 1
    const number = seen.batches
    await sleep(1)
    seen.now -= 1
    if (fail?.(number)) throw new Error(`batch ${number}`)
    seen.rows += statements.length
  }
  return { seen, writer: new Writer({ batch } as unknown as Session) }
}

describe('writer', () => {
  it('makes batches of one partition each, however the rows are mixed', () => {
    const batches = [...partitions(3, 120).batches()]
    expect(batches.map(b => b.length)).toEqual([50, 50, 20, 50, 50, 20, 50, 50, 20])
    for (const batch of batches) expect(new Set(batch.map(s => s.params[0])).size).toBe(1)
  })

  it('has a bounded number of batches on their way, whatever is written at once', async () => {
    const { seen, writer } = counting()
    await Promise.all([1, 2, 3, 4].map(() => writer.writeAll(partitions(100, 60).batches())))
    expect(seen).toMatchObject({ batches: 800, rows: 24_000, now: 0 })
    expect(seen.most).toBe(64)
  })

  it('waits for what is on its way, begins nothing more after an error, and goes on with the next write', async () => {
    const { seen, writer } = counting(n => n === 10)
    await expect(writer.writeAll(partitions(500, 1).batches())).rejects.toThrow('batch 10')
    expect(seen.now).toBe(0)
    expect(seen.batches).toBeLessThan(200)
    const before = seen.rows
    await writer.writeAll(partitions(500, 1).batches())
    expect(seen.rows - before).toBe(500)
  })
})

describe('what is known', () => {
  it('is forgotten after an hour', async () => {
    const clock = new VirtualClock(EpochMicros(0))
    const known = new Known<number>(clock)
    known.set('a', 1)
    expect(known.get('a')).toBe(1)
    clock.advance(3_600_001)
    expect(known.get('a')).toBeUndefined()
  })
})
