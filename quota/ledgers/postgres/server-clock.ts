import type { EpochMicros } from '../../../core/brands.ts'
import type { ClockStamp } from '../../policy/clock.ts'

/** Monotonic time of one boot of a host, taken before and after it asked, and what the steady time was between them. */
type HostMark = readonly [boot: string, beforeMs: number, afterMs: number, steadyMs: number]

/** What all hosts know of the server's clock; a part of the ledger's row. */
export interface ClockRecord {
  /** How often nobody could tell how much time had passed. */
  readonly epoch: number
  /** When the server was started, by its own word. */
  readonly startedAt: string
  /** By how much its clock has jumped in all; steady time = its time less this. */
  readonly jumpedMs: number
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
/** Monotonic time of two processes is not taken at one moment: so much may lie between. */
const sameBaseMs = 1_000

export const noClockYet: ClockRecord = { epoch: 0, startedAt: '', jumpedMs: 0, hosts: [] }

/**
 * The server's clock is the one clock of all hosts, but it can be set too. Each host compares it with its own monotonic time, which
 * nothing sets: what moved by more than `jumpMs` is a jump, told once, whoever sees it. Where the server was started anew and this
 * host never looked before, nothing tells how long that took: a new epoch, after which the minute's calls count as made now.
 */
export function lookedAt(
  before: ClockRecord,
  look: Look,
  jumpMs: number,
): { readonly record: ClockRecord; readonly stamp: ClockStamp } {
  const mark = before.hosts.find(([boot, ms]) => boot === look.boot && look.afterMs >= ms - sameBaseMs)
  const wallMs = look.wallAt / 1_000
  const moved = mark ? movedBy(mark, wallMs - before.jumpedMs, look) : 0
  const jumpedMs = Math.abs(moved) > jumpMs ? before.jumpedMs + moved : before.jumpedMs
  const isKnown = mark !== undefined || before.startedAt === look.startedAt
  const epoch = isKnown ? before.epoch : before.epoch + 1
  const steadyMs = wallMs - jumpedMs
  const others = before.hosts.filter(([boot]) => boot !== look.boot)
  const own: HostMark = [look.boot, Math.floor(look.beforeMs), Math.ceil(look.afterMs), Math.round(steadyMs)]
  return {
    record: { epoch, startedAt: look.startedAt, jumpedMs, hosts: [own, ...others].slice(0, hostsKept) },
    stamp: { boot: `server-${epoch}`, monotonicMs: steadyMs, wallAt: look.wallAt },
  }
}

/** The least by which the server's clock must have moved against ours: a process that was paused meanwhile is no jump. */
function movedBy([, beforeMs, afterMs, steadyMs]: HostMark, nowMs: number, look: Look): number {
  const passed = nowMs - steadyMs
  const longest = look.afterMs - beforeMs
  const shortest = look.beforeMs - afterMs
  if (passed > longest) return passed - longest
  return passed < shortest ? passed - shortest : 0
}

/** @throws SyntaxError for text that this program did not write */
export const decodeClock = (text: string): ClockRecord =>
  text === '' ? noClockYet : (JSON.parse(text) as ClockRecord)
