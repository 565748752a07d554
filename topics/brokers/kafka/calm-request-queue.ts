import { createRequire } from 'node:module'
import { kafkaJsVersion, readInVersion } from './internals.ts'

/** What is used of kafkajs' queue of requests of one connection. */
interface RequestQueue {
  pending: readonly unknown[]
  scheduleCheckPendingRequests(): void
}
type RequestQueueClass = { readonly prototype: RequestQueue }

/** As the method looks in the version that was read: the timer is set whether anything is pending or not. */
const asRead =
  /if \(!this\.throttleCheckTimeoutId\) \{\s*if \(this\.pending\.length > 0\) \{[^}]*\}\s*this\.throttleCheckTimeoutId = setTimeout\(/

const load = createRequire(import.meta.url)
const calmed = new WeakSet<RequestQueue>()

/**
 * kafkajs arms a timer of 1 ms for ever on each connection once it answered: 3.6 % of a core for an idle client, and a warning
 * about negative timeouts. Here it is armed only while something waits to be sent. Done only to the version that was read.
 * @returns whether the method is replaced
 */
export function calmRequestQueue(
  queueClass = load('kafkajs/src/network/requestQueue') as RequestQueueClass,
  version = kafkaJsVersion(),
): boolean {
  const { prototype } = queueClass
  if (calmed.has(prototype)) return true
  const original = prototype.scheduleCheckPendingRequests
  if (version !== readInVersion || typeof original !== 'function' || !asRead.test(original.toString()))
    return false
  prototype.scheduleCheckPendingRequests = function calm(this: RequestQueue): void {
    // Nothing waits: whatever comes is sent at once or schedules its own check.
    if (this.pending.length > 0) original.call(this)
  }
  calmed.add(prototype)
  return true
}
