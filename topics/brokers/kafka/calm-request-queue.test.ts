import { createRequire } from 'node:module'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { calmRequestQueue } from './calm-request-queue.ts'
import { kafkaJsVersion, readInVersion } from './internals.ts'

interface Queue {
  checkPendingRequests(): void
  throttledUntil: number
  push(request: object): void
  fulfillRequest(answer: object): void
  destroy(): void
}
type QueueClass = (new (options: object) => Queue) & Parameters<typeof calmRequestQueue>[0]

/** kafkajs' class as it is on the disk, whatever was done to the one in use. */
function freshClass(): QueueClass {
  const load = createRequire(import.meta.url)
  const file = load.resolve('kafkajs/src/network/requestQueue')
  const before = load.cache[file]
  delete load.cache[file]
  const fresh = load(file) as QueueClass
  if (before) load.cache[file] = before
  return fresh
}

/** A queue whose two first requests were answered, and what it sent. */
function usedQueue(QueueOf: QueueClass) {
  const logger = { debug: () => undefined }
  const queue = new QueueOf({
    requestTimeout: 10_000,
    enforceRequestTimeout: false,
    maxInFlightRequests: 1,
    logger,
  })
  const sent: number[] = []
  const push = (correlationId: number): void =>
    queue.push({
      entry: { correlationId, resolve: () => undefined, reject: () => undefined },
      expectResponse: true,
      sendRequest: () => sent.push(correlationId),
    })
  push(1)
  push(2)
  for (const correlationId of [1, 2]) queue.fulfillRequest({ correlationId, payload: null, size: 0 })
  return { queue, sent, push }
}

describe('the queue of requests of kafkajs', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  const timersOfIdleSecond = (QueueOf: QueueClass): number => {
    const { queue } = usedQueue(QueueOf)
    vi.advanceTimersByTime(20)
    // Each of its timers ends in this; a spy on setTimeout itself would outlive the fake timers, and with it everybody else's.
    let count = 0
    const check = queue.checkPendingRequests.bind(queue)
    queue.checkPendingRequests = () => {
      count += 1
      check()
    }
    vi.advanceTimersByTime(1_000)
    queue.destroy()
    return count
  }

  it('is of the version that was read', () => expect(kafkaJsVersion()).toBe(readInVersion))

  it('arms a timer each millisecond while it is idle: the shim is still needed', () => {
    expect(timersOfIdleSecond(freshClass())).toBeGreaterThan(900)
  })

  it('arms none with the shim', () => {
    const calm = freshClass()
    expect(calmRequestQueue(calm)).toBe(true)
    expect(calmRequestQueue(calm)).toBe(true)
    expect(timersOfIdleSecond(calm)).toBe(0)
  })

  it('still sends what waits because a server asked for patience, with nothing else happening', () => {
    const calm = freshClass()
    calmRequestQueue(calm)
    const { queue, sent, push } = usedQueue(calm)
    expect(sent).toEqual([1, 2])
    queue.throttledUntil = Date.now() + 50
    push(3)
    vi.advanceTimersByTime(40)
    expect(sent).toEqual([1, 2])
    vi.advanceTimersByTime(100)
    expect(sent).toEqual([1, 2, 3])
    queue.destroy()
  })

  it('is left alone in another version, or where the method looks different', () => {
    const other = freshClass()
    const before = other?.prototype.scheduleCheckPendingRequests
    expect(calmRequestQueue(other, '2.2.5')).toBe(false)
    if (other) other.prototype.scheduleCheckPendingRequests = () => undefined
    expect(calmRequestQueue(other)).toBe(false)
    expect(before).toBeTypeOf('function')
  })
})
