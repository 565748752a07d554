import { expect, it } from 'vitest'
import { turns as moments } from '../../harness.contract.ts'
import { Turns } from './turns.ts'

const never = new AbortController().signal

it('so many are in at once, and the others come in the order in which they asked', async () => {
  const turns = new Turns(2)
  const came: number[] = []
  for (const id of [1, 2, 3, 4]) turns.take(never).then(() => came.push(id), Error)
  await moments(3)
  expect(came).toEqual([1, 2])
  turns.give()
  turns.give()
  await moments(3)
  expect(came).toEqual([1, 2, 3, 4])
})

it("who goes before a turn takes none, and one that was given before is the taker's to give back", async () => {
  const turns = new Turns(1)
  expect(await turns.take(never)).toBe(true)
  const gone = new AbortController()
  const left = turns.take(gone.signal)
  const next = turns.take(never)
  gone.abort()
  turns.give()
  expect([await left, await next]).toEqual([false, true])
  const late = new AbortController()
  const given = turns.take(late.signal)
  turns.give()
  late.abort()
  expect(await given).toBe(true)
  expect(await turns.take(late.signal)).toBe(false)
  turns.give()
  expect(await turns.take(never)).toBe(true)
})
