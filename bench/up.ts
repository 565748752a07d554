import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { systemClock } from '../host/clock.ts'
import { startSandbox } from '../sandbox/server.ts'
import type { BenchLine } from './line.ts'
import { packageLayout } from './package-layout.ts'
import { round } from './line.ts'

const warmUpMs = 15_000
const measureMs = 60_000
const ticksPerSecond = 100

/** utime + stime of a process in seconds, by Linux's /proc. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

const rssMegabytes = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1_024

/** [up-idle-cpu] and [up-rss], of the program as it is installed: `cryptos up` with its default sources, nobody looking, the simulator in another process. */
export async function benchUp(): Promise<BenchLine[]> {
  const sandbox = await startSandbox({ clock: systemClock })
  const dataDir = mkdtempSync(join(tmpdir(), 'cryptos-bench-'))
  const env = {
    ...process.env,
    CRYPTOS_DATA_DIR: dataDir,
    CRYPTOS_SANDBOX_URL: sandbox.url,
    CRYPTOS_LOG_LEVEL: 'warn',
  }
  const folder = await packageLayout()
  const bin = join(folder, 'bin', 'cryptos.mjs')
  const child = spawn(process.execPath, [bin, 'up', '--source', 'sandbox', '--port', '0'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    for await (const line of createInterface({ input: child.stdout })) if (line.includes('http://')) break
    const pid = child.pid ?? 0
    await sleep(warmUpMs)
    const before = cpuSeconds(pid)
    await sleep(measureMs)
    const percent = ((cpuSeconds(pid) - before) / (measureMs / 1_000)) * 100
    const rss = rssMegabytes(pid)
    const calls = sandbox.meter.entries().length
    return [
      {
        name: 'up-idle-cpu',
        value: round(percent, 2),
        unit: '% of a core',
        bar: 1,
        ok: percent < 1,
        note: `${measureMs / 1_000} s, ${calls} provider calls since the start`,
      },
      { name: 'up-rss', value: round(rss), unit: 'MB', bar: 150, ok: rss < 150 },
    ]
  } finally {
    child.kill('SIGTERM')
    await once(child, 'exit')
    await sandbox.close()
    for (const made of [dataDir, folder]) rmSync(made, { recursive: true })
  }
}
