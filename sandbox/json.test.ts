import { describe, expect, it } from 'vitest'
import { raw, toJson } from './json.ts'

describe('toJson', () => {
  it('keeps raw digits that a float would lose', () => {
    const text = toJson({ a: raw('48827.9897306341450'), b: raw('9.614444201187e-12'), c: [raw('1e15')] })
    expect(text).toBe('{"a":48827.9897306341450,"b":9.614444201187e-12,"c":[1e15]}')
  })
  it('equals JSON.stringify for everything else', () => {
    const value = { s: 'a"\u2028é', n: 1.5, t: true, z: null, u: undefined, l: [1, 'x', { k: [] }], o: {} }
    expect(toJson(value)).toBe(JSON.stringify(value))
  })
})
