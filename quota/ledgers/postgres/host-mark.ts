/** What a host noted as it looked at the server's clock. */
export interface HostMark {
  readonly boot: string
  /** Monotonic time of the host's boot, before and after it asked. */
  readonly beforeMs: number
  readonly afterMs: number
  /**
   * What the steady time was between them. Several, the first as it was noted and the last moved with every jump, where another host
   * told a jump that may have been its own suspension: any of them is right.
   */
  readonly steadyMs: readonly number[]
  /** Number of the look. */
  readonly at: number
  /** Number of the look from which on this host saw the server's clock go as its own: it vouches for the time between. */
  readonly since: number
}

interface HostTime {
  readonly boot: string
  readonly beforeMs: number
  readonly afterMs: number
}

/** Monotonic time of two processes is not taken at one moment: so much may lie between. */
const sameBaseMs = 1_000
/** A look that took longer vouches for nothing: a jump may hide in it. */
const sureMs = 5_000
/** Jumps told while a host was away double what its mark may mean; with more only the first and the last are kept. */
const meaningsKept = 8

/** Whether the mark is of this boot of the host. */
export const marked = (mark: HostMark, look: HostTime): boolean =>
  mark.boot === look.boot && look.afterMs >= mark.beforeMs - sameBaseMs

/**
 * The least by which the server's clock must have moved against ours: a process that was paused meanwhile is no jump. By a mark with
 * several meanings none where one of them finds no jump; else as it was noted.
 */
export function movedBy(
  { beforeMs, afterMs, steadyMs }: HostMark,
  look: HostTime,
  { nowMs, jumpMs }: { readonly nowMs: number; readonly jumpMs: number },
): number {
  const longest = look.afterMs - beforeMs
  const shortest = look.beforeMs - afterMs
  const all = steadyMs.map(steady => {
    const passed = nowMs - steady
    if (passed > longest) return passed - longest
    return passed < shortest ? passed - shortest : 0
  })
  const least = all.toSorted((a, b) => Math.abs(a) - Math.abs(b))[0] ?? 0
  return Math.abs(least) <= jumpMs ? least : (all[0] ?? 0)
}

/**
 * The most by which the server's clock can have jumped forward since our mark, as other hosts know. Where one of them saw it go
 * steadily, and more time pass than our monotonic clock did, we were suspended: only what came after that host's mark is open.
 */
export function unvouchedMs(
  mark: HostMark,
  others: readonly HostMark[],
  look: HostTime,
  nowMs: number,
): number {
  const ours = steadyOf(mark)
  if (ours === undefined) return Number.POSITIVE_INFINITY
  const open = others.map(other => {
    const theirs = steadyOf(other)
    const vouches = theirs !== undefined && other.since <= mark.at
    return vouches && theirs - ours > look.afterMs - mark.beforeMs ? nowMs - theirs : Number.POSITIVE_INFINITY
  })
  return Math.max(0, Math.min(...open))
}

const steadyOf = ({ steadyMs: [first, ...more] }: HostMark): number | undefined =>
  more.length === 0 ? first : undefined

/** Replaces `mark` after a look; `isQuiet`: it found neither a jump nor a suspension. */
export function nextMark(
  mark: HostMark | undefined,
  { boot, beforeMs, afterMs }: HostTime,
  seen: { readonly steadyMs: number; readonly isQuiet: boolean; readonly looks: number },
): HostMark {
  const isSure =
    mark !== undefined &&
    mark.steadyMs.length === 1 &&
    seen.isQuiet &&
    mark.afterMs - mark.beforeMs <= sureMs &&
    afterMs - beforeMs <= sureMs
  return {
    boot,
    beforeMs: Math.floor(beforeMs),
    afterMs: Math.ceil(afterMs),
    steadyMs: [Math.round(seen.steadyMs)],
    at: seen.looks,
    since: isSure ? mark.since : seen.looks,
  }
}

/**
 * Another host's mark after a jump was told by the host of `teller`. Forward it may have been the teller's own suspension: then the
 * mark would have to move with it. Back it is the server's, and came after every mark that vouches for the time from the teller's on.
 */
export function doubted(other: HostMark, teller: HostMark, toldMs: number): HostMark {
  if (toldMs < 0 && teller.steadyMs.length === 1 && other.since <= teller.at) return other
  const all = [...other.steadyMs, ...other.steadyMs.map(steady => Math.round(steady - toldMs))]
  return { ...other, steadyMs: all.length > meaningsKept ? [...all.slice(0, 1), ...all.slice(-1)] : all }
}
