import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { murmur2, partitionOf } from './partition.ts'

const utf8 = new TextEncoder()

describe('partition of a key', () => {
  it('is the hash of Kafka: the vectors of its own UtilsTest', () => {
    const vectors: readonly (readonly [string, number])[] = [
      ['21', -973_932_308],
      ['foobar', -790_332_482],
      ['a-little-bit-long-string', -985_981_536],
      ['a-little-bit-longer-string', -1_486_304_829],
      ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58_897_971],
      ['abc', 479_470_107],
    ]
    for (const [text, hash] of vectors) expect(murmur2(utf8.encode(text)), text).toBe(hash)
  })

  it('never changes for keys of ours', () => {
    const keys = ['kraken|bitcoin|USD', 'coinbase|ethereum|EUR', 'coinmarketcap|pax-gold|USD', '', 'ключ']
    expect(keys.map(k => [partitionOf(k, 4), partitionOf(k, 12)])).toEqual([
      [1, 9],
      [3, 3],
      [1, 9],
      [1, 9],
      [0, 8],
    ])
  })

  it('lies in the range for any key', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', '|', 'ж', '\u{1f680}', '\ud800') }),
        fc.integer({ min: 1, max: 100 }),
        (key, partitions) => {
          const at = partitionOf(key, partitions)
          return Number.isInteger(at) && at >= 0 && at < partitions
        },
      ),
    )
  })
})
