import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** A process by pid and start time: a pid alone may have been given to a stranger meanwhile. */
export interface ProcessId {
  readonly pid: number
  readonly startedAt: string
}

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

const ps = (pid: number, field: string): string | undefined => {
  try {
    return execFileSync('ps', ['-o', `${field}=`, '-p', String(pid)], { encoding: 'utf8' }).trim()
  } catch {
    return undefined
  }
}

/** The fields of /proc/PID/stat behind the name, which may itself hold blanks and brackets. */
function statOf(pid: number): string[] | undefined {
  const text = read(`/proc/${pid}/stat`)
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')
}

/** When the process started, as a text that no later process with this pid can have; undefined if there is none or it is a zombie. */
export function startTimeOf(pid: number): string | undefined {
  if (process.platform !== 'linux') return ps(pid, 'lstart') || undefined
  const stat = statOf(pid)
  if (stat === undefined || stat[0] === 'Z' || stat[0] === 'X') return undefined
  return `${read('/proc/sys/kernel/random/boot_id')?.trim() ?? ''}/${stat[19] ?? ''}`
}

/** A process that was just started, before anything else can have its pid. */
export const identify = (pid: number): ProcessId => ({ pid, startedAt: startTimeOf(pid) ?? 'ended' })

export const isAlive = (id: ProcessId): boolean => startTimeOf(id.pid) === id.startedAt

/** Whether it is stopped by SIGSTOP. */
export const isPaused = (pid: number): boolean =>
  (process.platform === 'linux' ? statOf(pid)?.[0] : ps(pid, 'state'))?.startsWith('T') ?? false

/** The process group that it is in; undefined where the system does not tell. */
export const groupOf = (pid: number): number | undefined => {
  const group = process.platform === 'linux' ? statOf(pid)?.[2] : ps(pid, 'pgid')
  return group ? Number(group) : undefined
}

/** Resident memory in bytes. */
export function rssOf(pid: number): number {
  if (process.platform !== 'linux') return Number(ps(pid, 'rss') ?? 0) * 1024
  return Number(/^VmRSS:\s+(\d+)/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1] ?? 0) * 1024
}

/** Sends a signal to exactly this process; false if it is gone. */
export function signal(id: ProcessId, name: NodeJS.Signals): boolean {
  if (!isAlive(id)) return false
  try {
    process.kill(id.pid, name)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

async function waitUntil(condition: () => boolean, limitMs: number): Promise<boolean> {
  const until = performance.now() + limitMs
  while (!condition()) {
    if (performance.now() > until) return false
    await sleep(20)
  }
  return true
}

/** Waits until it is gone; false when `limitMs` ran out first. */
export const waitForEnd = (id: ProcessId, limitMs: number): Promise<boolean> =>
  waitUntil(() => !isAlive(id), limitMs)

/** Waits until a SIGSTOP has reached all its threads. */
export const waitForPause = (id: ProcessId, limitMs: number): Promise<boolean> =>
  waitUntil(() => isPaused(id.pid), limitMs)

/** Asks it to end, and ends it after `patienceMs`; true once it is gone. A paused process hears nothing, so it is woken first. */
export async function stopProcess(
  id: ProcessId,
  polite: NodeJS.Signals,
  patienceMs = 15_000,
): Promise<boolean> {
  if (!signal(id, polite)) return true
  signal(id, 'SIGCONT')
  if (await waitForEnd(id, patienceMs)) return true
  signal(id, 'SIGKILL')
  return waitForEnd(id, 10_000)
}
