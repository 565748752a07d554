import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ProcessId } from './processes.ts'
import { groupOf, identify, isAlive, signal } from './processes.ts'

function environmentHas(pid: string, entry: string): boolean {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`.includes(`\0${entry}\0`)
  } catch {
    // It ended meanwhile, or is another user's: not one of ours.
    return false
  }
}

/** Every process that was started with this `NAME=value` in its environment, children in sessions of their own too; none where there is no /proc. */
export function familyOf(mark: string): ProcessId[] {
  if (process.platform !== 'linux') return []
  const entry = Buffer.from(mark).toString('latin1')
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && environmentHas(name, entry))
    .map(name => identify(Number(name)))
    .filter(isAlive)
}

/** To the group of the first process, if that group is still of this family. True if it was sent. */
function signalGroup(first: ProcessId, members: readonly ProcessId[], name: NodeJS.Signals): boolean {
  if (!isAlive(first) && !members.some(each => groupOf(each.pid) === first.pid)) return false
  try {
    process.kill(-first.pid, name)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

async function waitForAll(first: ProcessId, mark: string, limitMs: number): Promise<boolean> {
  const until = performance.now() + limitMs
  while (isAlive(first) || familyOf(mark).length > 0) {
    if (performance.now() > until) return false
    await sleep(100)
  }
  return true
}

/** Children of a dead parent: Airflow's idle workers never hear SIGTERM, its tasks end within 3.5 s of it. */
const orphanPatienceMs = 5000

/** What SIGTERM could not end, again and again: while one looks, one more may be born. */
async function killAll(first: ProcessId, mark: string): Promise<boolean> {
  const until = performance.now() + 10_000
  while (performance.now() < until) {
    const members = familyOf(mark)
    signalGroup(first, members, 'SIGKILL')
    for (const each of members) signal(each, 'SIGKILL')
    if (await waitForAll(first, mark, 500)) return true
  }
  return false
}

/**
 * Ends a process and all that it started, also when it is itself dead already: SIGTERM to its group, whose processes end their own
 * children, and after `patienceMs` SIGKILL to each. True once none is left.
 */
export async function stopFamily(first: ProcessId, mark: string, patienceMs = 15_000): Promise<boolean> {
  const members = familyOf(mark)
  if (!isAlive(first) && members.length === 0) return true
  if (signalGroup(first, members, 'SIGTERM')) signalGroup(first, members, 'SIGCONT')
  // Of a dead parent: nobody passes a signal on to them.
  else for (const each of members) signal(each, 'SIGTERM')
  const patience = isAlive(first) ? patienceMs : Math.min(patienceMs, orphanPatienceMs)
  return (await waitForAll(first, mark, patience)) || (await killAll(first, mark))
}
