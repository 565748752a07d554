import { expect, it } from 'vitest'
import { JointProblems } from './joint-problems.ts'
import { Problems } from './problems.ts'

it('says that a store is well only when it is for all who write to it', () => {
  const problems = new Problems()
  const joint = new JointProblems(problems.set)
  const [quotes, metrics] = [joint.of('quotes'), joint.of('metrics')]
  quotes('sink', 'full')
  metrics('sink', 'busy')
  expect(problems.list()).toEqual([{ name: 'sink', what: 'busy' }])
  joint.of('consensus')('sink', null)
  expect(problems.list()).toEqual([{ name: 'sink', what: 'busy' }])
  metrics('sink', null)
  expect(problems.list()).toEqual([{ name: 'sink', what: 'full' }])
  metrics('log', 'torn')
  quotes('sink', null)
  expect(problems.list()).toEqual([{ name: 'log', what: 'torn' }])
  metrics('log', null)
  expect(problems.list()).toEqual([])
})
