import type { EpochMicros } from '../../../core/brands.ts'
import type { ClockStamp } from '../../policy/clock.ts'
import { doubted, type HostMark, marked, movedBy, nextMark, unvouchedMs } from './host-mark.ts'

/** What all hosts know of the server's clock; a part of the ledger's row. */
export interface ClockRecord {
  /** How often nobody could tell how much time had passed. */
  readonly epoch: number
  /** When the server was started, by its own word. */
  readonly startedAt: string
  /** By how much its clock has jumped in all; steady time = its time less this. */
  readonly jumpedMs: number
  /** How many looks were written. */
  readonly looks: number
  /** The newest mark of each host, newest first. */
  readonly hosts: readonly HostMark[]
}

/** A look at the server's clock. */
export interface Look {
  readonly wallAt: EpochMicros
  readonly startedAt: string
  readonly boot: string
  /** The host's monotonic time before it asked and after it was answered. */
  readonly beforeMs: number
  readonly afterMs: number
}

/** Hosts that share one ledger; those that were away the longest are forgotten first. */
const hostsKept = 32

export const noClockYet: ClockRecord = { epoch: 0, startedAt: '', jumpedMs: 0, looks: 0, hosts: [] }

/**
 * The server's clock is the one clock of all hosts, but it can be set too. Each host compares it with its own monotonic time, which
 * nothing sets, but which stands still while the host is suspended: what moved by more than `jumpMs` is a jump, told once, whoever
 * sees it, but for what another host's mark proves to be a suspension of this one. Where nobody can tell, it is told, and the others
 * take either for right at their next look, so that none of them undoes it. Where the server was started anew and this host never looked
 * before, nothing tells how long that took: a new epoch, after which the minute's calls count as made now.
 */
export function lookedAt(
  before: ClockRecord,
  look: Look,
  jumpMs: number,
): { readonly record: ClockRecord; readonly stamp: ClockStamp } {
  const mark = before.hosts.find(host => marked(host, look))
  const others = before.hosts.filter(host => host.boot !== look.boot)
  const wallMs = look.wallAt / 1_000
  const nowMs = wallMs - before.jumpedMs
  const movedMs = mark ? movedBy(mark, look, { nowMs, jumpMs }) : 0
  const serverMs = mark && movedMs > 0 ? Math.min(movedMs, unvouchedMs(mark, others, look, nowMs)) : movedMs
  const toldMs = Math.abs(serverMs) > jumpMs ? serverMs : 0
  const jumpedMs = before.jumpedMs + toldMs
  const looks = before.looks + 1
  const isKnown = mark !== undefined || before.startedAt === look.startedAt
  const epoch = isKnown ? before.epoch : before.epoch + 1
  const own = nextMark(mark, look, {
    steadyMs: wallMs - jumpedMs,
    isQuiet: Math.abs(movedMs) <= jumpMs,
    looks,
  })
  const hosts = mark && toldMs !== 0 ? others.map(other => doubted(other, mark, toldMs)) : others
  return {
    record: {
      epoch,
      startedAt: look.startedAt,
      jumpedMs,
      looks,
      hosts: [own, ...hosts].slice(0, hostsKept),
    },
    stamp: { boot: `server-${epoch}`, monotonicMs: wallMs - jumpedMs, wallAt: look.wallAt },
  }
}

/** @throws SyntaxError for text that this program did not write */
export function decodeClock(text: string): ClockRecord {
  if (text === '') return noClockYet
  const record = JSON.parse(text) as ClockRecord
  // Marks of a former form say too little: those hosts begin anew.
  const hosts = record.hosts.filter(host => Array.isArray(host.steadyMs))
  return { ...record, looks: record.looks ?? 0, hosts }
}
