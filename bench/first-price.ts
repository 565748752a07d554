import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BenchLine } from './line.ts'
import { round } from './line.ts'

const root = join(import.meta.dirname, '..')
const giveUpMs = 120_000

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

async function firstPriceMs(port: number, startedAt: number): Promise<number> {
  while (performance.now() - startedAt < giveUpMs) {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/latest`).catch(() => undefined)
    if (answer?.ok && (await answer.text()).includes('"price"')) return performance.now() - startedAt
    await sleep(100)
  }
  throw new Error(`no price within ${giveUpMs} ms`)
}

/** [first-price]: `git clone`, then `npm start` alone, until the web API has a price. The npm cache is warm. */
export async function benchFirstPrice(): Promise<BenchLine[]> {
  const folder = mkdtempSync(join(tmpdir(), 'cryptos-bench-'))
  const clone = join(folder, 'cryptos')
  execFileSync('git', ['clone', '-q', root, clone])
  const port = await freePort()
  const path = (process.env['PATH'] ?? '')
    .split(':')
    .filter(p => !p.includes('node_modules'))
    .join(':')
  const startedAt = performance.now()
  const child = spawn('npm', ['start'], {
    cwd: clone,
    env: { ...process.env, PATH: path, CRYPTOS_PORT: String(port), CRYPTOS_LOG_LEVEL: 'warn' },
    stdio: 'ignore',
    detached: true,
  })
  try {
    const seconds = (await firstPriceMs(port, startedAt)) / 1_000
    return [
      {
        name: 'first-price',
        value: round(seconds),
        unit: 's',
        bar: 30,
        ok: seconds < 30,
        note: 'fresh clone, set-up included, warm npm cache',
      },
    ]
  } finally {
    if (child.pid) process.kill(-child.pid, 'SIGTERM')
    await once(child, 'exit')
    rmSync(folder, { recursive: true })
  }
}
