import { readFileSync, readdirSync } from 'node:fs'

/** Linux counts in ticks of 10 ms. */
const msPerTick = 10

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    // A process or thread that has just ended counts nothing more.
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return ''
    throw error
  }
}

function childrenOf(pid: number): number[] {
  const tasks = `/proc/${pid}/task`
  return readdirSync(tasks).flatMap(task =>
    read(`${tasks}/${task}/children`).trim().split(' ').filter(Boolean).map(Number),
  )
}

/** utime + stime in ms of a process, its ended children and its living descendants, by /proc. */
export function treeCpuMs(pid: number): number {
  const fields = read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ')
  const own = [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at] ?? 0), 0) * msPerTick
  return childrenOf(pid).reduce((sum, child) => sum + treeCpuMs(child), own)
}

const statusMb = (pid: number, field: string): number =>
  Number(new RegExp(`${field}:\\s+(\\d+)`).exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1_024

export const rssMb = (pid: number): number => statusMb(pid, 'VmRSS')
export const rssPeakMb = (pid: number): number => statusMb(pid, 'VmHWM')
