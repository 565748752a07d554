import type { ServerResponse } from 'node:http'
import { setTimeout as sleepMs } from 'node:timers/promises'
import type { Clock } from '../core/ports/clock.ts'
import { addMs, toEpochMs } from '../core/time.ts'
import type { Fault, WireFault } from './fault-kinds.ts'
import type { Reply } from './types.ts'
import { writeOut } from './write-out.ts'
import { onTheWire, writeWithoutEnd } from './wire.ts'

/** What happens to an answer on its way out. */
export interface AnswerPlan {
  readonly lost: boolean
  readonly cut: Extract<Fault, { kind: 'cut-body' }> | undefined
  readonly slow: Extract<Fault, { kind: 'slow-body' }> | undefined
  readonly wire: WireFault | undefined
  readonly delay: Extract<Fault, { kind: 'delay' }> | undefined
  readonly dateOffsetMs: number
}

export interface Way {
  readonly response: ServerResponse
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Slow bodies leave in pieces, this often. */
const pieceMs = 20

/** Waits as a delay fault says, in real and then in the clock's time. Ends early when the sandbox closes. */
export async function wait({ clock, signal }: Way, delay: AnswerPlan['delay']): Promise<void> {
  if (delay?.ms) await sleepMs(delay.ms, undefined, { signal })
  if (delay?.virtualMs) await clock.sleep(delay.virtualMs, signal)
}

/** Sends the answer, or as much of it as the plan leaves. The `Date` header is the sandbox's clock. */
export async function writeAnswer(way: Way, reply: Reply, plan: AnswerPlan): Promise<void> {
  const { response, clock } = way
  const { body, headers } = onTheWire(Buffer.from(reply.body), plan.wire)
  const date = new Date(toEpochMs(addMs(clock.now(), plan.dateOffsetMs))).toUTCString()
  await wait(way, plan.delay)
  if (plan.lost) return void response.destroy()
  const type = 'application/json; charset=utf-8'
  const isEndless = plan.wire?.kind === 'endless-body'
  response.writeHead(reply.status, {
    ...{ 'content-type': type, ...reply.headers, ...headers, date },
    ...(isEndless ? {} : { 'content-length': body.length }),
  })
  if (isEndless) return writeWithoutEnd(way)
  if (!plan.cut && !plan.slow) return void response.end(body)
  const whole = plan.cut ? body.subarray(0, plan.cut.bytes ?? body.length >> 1) : body
  await writePieces(way, whole, plan.slow?.bytesPerSecond)
  if (plan.cut) response.destroy()
  else response.end()
}

async function writePieces(
  { response, signal }: Way,
  body: Buffer,
  bytesPerSecond: number | undefined,
): Promise<void> {
  const [piece, everyMs] = paceOf(bytesPerSecond ?? Number.POSITIVE_INFINITY, body.length)
  if (body.length === 0) response.flushHeaders()
  const gone = new Promise<void>(resolve => response.once('close', () => resolve()))
  for (let from = 0; from < body.length && !response.destroyed; from += piece) {
    if (from > 0) await sleepMs(everyMs, undefined, { signal })
    await Promise.race([writeOut(response, body.subarray(from, from + piece)), gone])
  }
}

/** How many bytes leave at a time, and how long after each other: below 50 bytes a second they go one by one. */
function paceOf(bytesPerSecond: number, length: number): readonly [piece: number, everyMs: number] {
  const piece = (bytesPerSecond * pieceMs) / 1_000
  if (piece >= length) return [Math.max(1, length), pieceMs]
  return piece < 1 ? [1, 1_000 / bytesPerSecond] : [Math.round(piece), pieceMs]
}
