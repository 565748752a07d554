import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { builtMover } from './built-movers.ts'
import type { MoverAnswer, MoverTask } from './movers/mover.ts'
import { rssMb, rssPeakMb, treeCpuMs } from './proc.ts'

const longestMs = 10 * 60_000
const sampleMs = 250

export interface MoverRun extends MoverAnswer {
  /** From the start of the process to its answer: all rows stored and committed. */
  readonly wallMs: number
  /** utime + stime of the mover's process tree, by /proc, its start included. */
  readonly cpuMs: number
  readonly rssPeakMb: number
  /** RSS every 250 ms. */
  readonly rssSamplesMb: readonly number[]
}

/** Runs `movers/<name>.ts`, built, to its end in a process of its own. @throws Error where it fails or takes over ten minutes */
export async function runMover(name: string, task: MoverTask): Promise<MoverRun> {
  const file = await builtMover(name)
  const startedAt = performance.now()
  const extra = (process.env['CRYPTOS_BENCH_NODE_OPTIONS'] ?? '').split(' ').filter(Boolean)
  const child = spawn(process.execPath, [...extra, file, JSON.stringify(task)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, KAFKAJS_NO_PARTITIONER_WARNING: '1', NODE_NO_WARNINGS: '1' },
  })
  const pid = child.pid ?? 0
  const samples: number[] = []
  const sampler = setInterval(() => samples.push(rssMb(pid)), sampleMs)
  const guard = setTimeout(() => child.kill('SIGKILL'), longestMs)
  const exited = once(child, 'exit')
  try {
    const answer = await firstLine(child.stdout)
    const wallMs = performance.now() - startedAt
    if (answer === undefined) throw new Error(`${name} ended without an answer`)
    const measured = { wallMs, cpuMs: treeCpuMs(pid), rssPeakMb: rssPeakMb(pid), rssSamplesMb: samples }
    child.stdin.end()
    await exited
    return { ...(JSON.parse(answer) as MoverAnswer), ...measured }
  } finally {
    clearInterval(sampler)
    clearTimeout(guard)
  }
}

async function firstLine(input: NodeJS.ReadableStream): Promise<string | undefined> {
  for await (const line of createInterface({ input })) return line
  return undefined
}
