import { expect, it } from 'vitest'
import { count } from './plural.ts'

it('counts one thing, and more or none, as people do', () => {
  expect([0, 1, 2, 15_000].map(n => count(n, 'credit'))).toEqual([
    '0 credits',
    '1 credit',
    '2 credits',
    '15,000 credits',
  ])
})
