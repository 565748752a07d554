import type { Acting } from './acting.ts'
import { changeBody } from './body-changes.ts'
import type { WireFault } from './fault-kinds.ts'
import { deprecatedHeaders, replacementFor } from './fault-pages.ts'
import type { ActiveFault } from './faults.ts'
import type { Call, Reply, Twin } from './types.ts'

/** One call at the twin, with the faults meant for it. */
export interface FaultyCall {
  readonly twin: Twin
  readonly call: Call
  readonly acting: Acting
  /** Path and query. */
  readonly url: string
}

const replacingKinds = [
  ...(['rate-limited', 'server-error', 'error-200', 'html', 'maintenance', 'text'] as const),
  ...(['cloudflare', 'redirect', 'deprecated', 'replace-body'] as const),
]

/** The twin's answer, or what a fault makes of it. Faults act only on calls that would have been served. */
export function answerWithFaults(faulty: FaultyCall): Reply {
  const { twin, call, acting } = faulty
  const replacing = acting.peek(...replacingKinds)
  const dearer = acting.peek('overcharge')
  const dearerFactor = dearer?.spec.kind === 'overcharge' ? (dearer.spec.factor ?? 2) : 1
  const isFree = replacing !== undefined && !isCharged(replacing)
  const reply = twin.answer({ ...call, priceFactor: isFree ? 0 : dearerFactor })
  if (reply.result !== 'served') return reply
  if (dearer && reply.credits > 0) acting.claimOne(dearer)
  if (replacing && acting.claimOne(replacing)) return replaced(faulty, reply, replacing)
  return changed(faulty, reply)
}

/** Data that still come are charged as ever. */
const isCharged = ({ spec }: ActiveFault): boolean =>
  ('charged' in spec && spec.charged === true) || (spec.kind === 'deprecated' && spec.body === 'kept')

function replaced({ twin, call }: FaultyCall, reply: Reply, { spec }: ActiveFault): Reply {
  if (spec.kind === 'deprecated' && spec.body === 'kept')
    return { ...reply, headers: { ...reply.headers, ...deprecatedHeaders(call.at) } }
  const replacement = replacementFor(twin, call, spec)
  return replacement ? { ...reply, ...replacement, result: 'failed', served: [] } : reply
}

/** All changes of the body that find their place, one after the other; the meter notes what the last one left. */
function changed({ call, acting, url }: FaultyCall, reply: Reply): Reply {
  let now: Pick<Reply, 'body' | 'served'> = reply
  for (const fault of acting.allOf('change-body')) {
    if (fault.spec.kind !== 'change-body') continue
    const next = changeBody(now, fault.spec, { at: call.at, url, memory: fault.memory })
    if (next && acting.claimOne(fault)) now = next
  }
  return { ...reply, ...now }
}

/** The first fault of the wire that is meant for this call. */
export const wireFault = (acting: Acting): WireFault | undefined =>
  acting.claim('gzip-bomb') ??
  acting.claim('endless-body') ??
  acting.claim('big-body') ??
  acting.claim('content-type') ??
  acting.claim('encoding-name')

/** Whether no caller can get the data out of what was sent. */
export const isUnreadable = ({ kind }: WireFault): boolean =>
  kind === 'gzip-bomb' || kind === 'endless-body' || kind === 'encoding-name'
