import { expect, it } from 'vitest'
import { CryptosError, type ErrorCode } from '../../core/errors.ts'
import { fromEpochMs } from '../../core/time.ts'
import { VirtualClock } from '../../core/virtual-clock.ts'
import { Problems } from '../pipeline/problems.ts'
import { look } from './watch-stores.ts'

it("names what the page's own handles meet, is well again after it, and ends by what no other try can mend", async () => {
  let ill: ErrorCode | null = null
  const read = async <T>(value: T): Promise<T> => {
    if (ill) throw new CryptosError(ill, 'planted')
    return value
  }
  const problems = new Problems()
  const clock = new VirtualClock(fromEpochMs(0))
  const stores = {
    reader: { newestChange: () => read(1) },
    ledger: { status: () => read([]) },
    clock,
    problems,
  }
  ill = 'CRY_STORE_BUSY'
  await look(stores)
  expect(problems.list().map(p => p.name)).toEqual(['store', 'ledger.read'])
  ill = null
  await look(stores)
  expect(problems.list()).toEqual([])
  ill = 'CRY_STORE_BROKEN'
  await expect(look(stores)).rejects.toMatchObject({ code: 'CRY_STORE_BROKEN' })
  expect(problems.list()).toHaveLength(1)
})
