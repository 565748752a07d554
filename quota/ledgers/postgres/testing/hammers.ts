import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { HammerOptions, HammerReport } from './hammer.ts'

export interface Hammers {
  readonly children: readonly ChildProcess[]
  go(): void
  /** Rejects when one of them failed. */
  readonly reports: Promise<readonly HammerReport[]>
}

const program = fileURLToPath(new URL('./hammer.ts', import.meta.url))

/** Real processes on one ledger, all of them ready. */
export async function startHammers(count: number, options: HammerOptions): Promise<Hammers> {
  const started = Array.from({ length: count }, () => {
    const child = spawn(process.execPath, [program, JSON.stringify(options)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() }
  })
  await Promise.all(started.map(({ lines }) => lines.next()))
  const report = async ({ child, lines }: (typeof started)[number]): Promise<HammerReport> => {
    const ended = once(child, 'exit')
    const line = await lines.next()
    const [code] = await ended
    if (code !== 0) throw new Error(`a hammer ended with ${String(code)}`)
    return JSON.parse(String(line.value)) as HammerReport
  }
  return {
    children: started.map(s => s.child),
    go: () => {
      for (const { child } of started) child.stdin.write('go\n')
    },
    reports: Promise.all(started.map(report)),
  }
}
