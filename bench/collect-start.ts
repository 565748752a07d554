import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../host/clock.ts'
import { startSandbox, type Sandbox } from '../sandbox/server.ts'
import type { BenchLine } from './line.ts'
import { packageLayout } from './package-layout.ts'
import { median, round } from './line.ts'
import { runMs } from './run-ms.ts'

const pairs = 15
const root = join(import.meta.dirname, '..')

/** Slots of their own, so that no call is "already done". */
const firstSlotMs = Date.UTC(2026, 0, 1)
let slots = 0

/** Milliseconds from the start of `cryptos collect kraken` until the sandbox has its request. The data folder exists, as it does for a scheduler. */
async function requestMs(program: string, sandbox: Sandbox, dataDir: string): Promise<number> {
  const before = sandbox.meter.entries().length
  const env = {
    ...process.env,
    CRYPTOS_DATA_DIR: dataDir,
    CRYPTOS_SANDBOX_URL: sandbox.url,
    CRYPTOS_LOG_LEVEL: 'silent',
  }
  slots += 1
  const slot = new Date(firstSlotMs + slots * 60_000).toISOString()
  const startedAtMs = performance.timeOrigin + performance.now()
  await runMs([program, 'collect', 'kraken', '--source', 'sandbox', '--json', '--slot', slot], env)
  const entry = sandbox.meter.entries()[before]
  if (!entry) throw new Error('cryptos collect sent no request')
  return entry.at / 1_000 - startedAtMs
}

/** [collect-start]: the built program as it is installed; the clone's unbuilt sources beside it. */
export async function benchStart(): Promise<BenchLine[]> {
  const folder = await packageLayout()
  const built = join(folder, 'bin', 'cryptos.mjs')
  const sources = join(root, 'bin', 'cryptos.mjs')
  const clock = {
    ...systemClock,
    now: () =>
      Math.round((performance.timeOrigin + performance.now()) * 1_000) as ReturnType<typeof systemClock.now>,
  }
  const sandbox = await startSandbox({ clock, limits: { kraken: { burst: 10_000, perSecond: 1_000 } } })
  const times = {
    node: [] as number[],
    nodeAgain: [] as number[],
    built: [] as number[],
    sources: [] as number[],
  }
  try {
    for (let pair = -1; pair < pairs; pair += 1) {
      const { ms: node } = await runMs(['-e', '0'], process.env)
      const one = await requestMs(built, sandbox, join(folder, 'data'))
      const two = await requestMs(sources, sandbox, join(folder, 'data'))
      const { ms: nodeAgain } = await runMs(['-e', '0'], process.env)
      if (pair < 0) continue
      times.node.push(node)
      times.built.push(one)
      times.sources.push(two)
      times.nodeAgain.push(nodeAgain)
    }
  } finally {
    await sandbox.close()
    rmSync(folder, { recursive: true })
  }
  return lines(times)
}

function lines(times: {
  node: number[]
  nodeAgain: number[]
  built: number[]
  sources: number[]
}): BenchLine[] {
  const node = median([...times.node, ...times.nodeAgain])
  const ratio = median(times.built) / node
  const startMs = median(times.built)
  const control = median(times.nodeAgain) / median(times.node)
  return [
    {
      name: 'collect-start',
      value: round(startMs),
      unit: 'ms',
      bar: 400,
      ok: startMs < 400 && ratio < 3,
      note: `median of ${pairs}; node -e 0: ${round(node)} ms, A/A ${round(control, 3)}`,
    },
    { name: 'collect-start-ratio', value: round(ratio, 2), unit: 'x node -e 0', bar: 3, ok: ratio < 3 },
    {
      name: 'collect-start-sources',
      value: round(median(times.sources)),
      unit: 'ms',
      bar: 400,
      ok: median(times.sources) < 400,
      note: `unbuilt clone, ${round(median(times.sources) / node, 2)}x node -e 0`,
    },
  ]
}
