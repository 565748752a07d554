import { expect, it } from 'vitest'
import { untilSignal } from './until-signal.ts'

const never = new Promise<never>(() => undefined)
const reason = new DOMException('stopped by SIGTERM', 'AbortError')

it('is the work, its value and its error', async () => {
  const { signal } = new AbortController()
  expect(await untilSignal(Promise.resolve(7), signal)).toBe(7)
  const broken = new Error('no')
  await expect(untilSignal(Promise.reject(broken), signal)).rejects.toBe(broken)
})

it('ends at the signal, also at one that has fired, and hears no more of the work', async () => {
  const controller = new AbortController()
  const late = Promise.withResolvers<number>()
  const waiting = untilSignal(late.promise, controller.signal)
  controller.abort(reason)
  await expect(waiting).rejects.toBe(reason)
  late.reject(new Error('nobody hears it'))
  await expect(untilSignal(never, AbortSignal.abort(reason))).rejects.toBe(reason)
})
