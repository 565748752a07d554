import cassandra from 'cassandra-driver'
import { expect, it } from 'vitest'
import { refreshOneAtATime } from './one-refresh.ts'

type Refresh = (left?: unknown) => Promise<void>

it('looks for a control connection once at a time, in the driver as it is', async () => {
  const client = new cassandra.Client({ contactPoints: ['127.0.0.1'], localDataCenter: 'dc' })
  const { controlConnection } = client as unknown as { readonly controlConnection: { _refresh: Refresh } }
  expect(controlConnection._refresh).toBeTypeOf('function')
  const calls: unknown[] = []
  let found = Promise.withResolvers<void>()
  controlConnection._refresh = async left => {
    calls.push(left)
    if (left === undefined) await found.promise
  }
  expect(refreshOneAtATime(client)).toBe(true)
  const first = controlConnection._refresh()
  const second = controlConnection._refresh()
  await controlConnection._refresh('left')
  expect(calls).toEqual([undefined, 'left'])
  found.resolve()
  await Promise.all([first, second])
  found = Promise.withResolvers()
  found.reject(new Error('none'))
  await expect(controlConnection._refresh()).rejects.toThrow('none')
  expect(calls).toHaveLength(3)
  expect(refreshOneAtATime({} as cassandra.Client)).toBe(false)
  await client.shutdown()
})
