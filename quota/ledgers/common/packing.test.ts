import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { pack, unpack } from './packing.ts'

const list = Buffer.from(
  JSON.stringify(
    Array.from({ length: 2_000 }, (_, i) => ({ id: `coin-${i}`, price: `${i * 7_919}.${i}`, rank: i })),
  ),
)

describe('packing of bodies', () => {
  it.each([
    ['small', Buffer.from('{"a":1}'), 0],
    ['empty', Buffer.alloc(0), 0],
    ['a large list', list, 1],
    ['large and without a pattern', randomBytes(40_000), 0],
  ] as const)('gives back the very bytes: %s', (_, body, packed) => {
    const stored = pack(body)
    expect(stored.packed).toBe(packed)
    expect(Buffer.from(unpack(stored.body, packed === 1)).equals(body)).toBe(true)
  })

  it('makes a list of coins a third or less', () => {
    expect(pack(list).body.byteLength).toBeLessThan(list.byteLength / 3)
  })

  it('refuses a damaged body, and one that would fill the memory', () => {
    const { body } = pack(list)
    expect(() => unpack(body.subarray(0, 100), true)).toThrow()
    expect(() => unpack(pack(Buffer.alloc(70_000_000)).body, true)).toThrow()
  })
})
