import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Addresses } from '../../scripts/stack/addresses.ts'
import { firstTaken } from '../../scripts/stack/port-check.ts'
import { allPorts, maxPortOffset, portsOf } from '../../scripts/stack/ports.ts'
import type { UpOptions } from '../../scripts/stack/stack.ts'
import { up } from '../../scripts/stack/stack.ts'

/** An offset at which every port of a stack is free just now. */
export async function freePortOffset(brokers = 1): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const offset = 100 + Math.floor(Math.random() * (maxPortOffset - 100))
    if ((await firstTaken(allPorts(portsOf(offset, brokers)))) === undefined) return offset
  }
  throw new Error('found no free ports for the servers')
}

/** A program that stops the servers of the folder when `stop` is called or this process ends, however it ends. */
export function guard(folder: string): () => Promise<void> {
  const program = fileURLToPath(new URL('./guard.ts', import.meta.url))
  const child = spawn(process.execPath, [program, folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  child.unref()
  if (child.stdin instanceof Socket) child.stdin.unref()
  const ended = once(child, 'exit')
  return async () => {
    child.stdin.end()
    // Referenced, because the guard itself keeps nothing alive here.
    const waiting = new AbortController()
    const limit = sleep(60_000, undefined, { signal: waiting.signal }).catch(() => undefined)
    await Promise.race([ended, limit])
    waiting.abort()
  }
}

export interface ThrowAwayStack {
  readonly addresses: Addresses
  readonly folder: string
  /** Stops the servers and removes their data. */
  stop(): Promise<void>
}

/** Servers of one's own in a temporary folder: three brokers, or with settings that others would not bear. */
export async function throwAwayStack(options: Omit<UpOptions, 'folder'>): Promise<ThrowAwayStack> {
  const folder = mkdtempSync(join(tmpdir(), 'cryptos-stack-'))
  const stop = guard(folder)
  try {
    const portOffset = options.portOffset ?? (await freePortOffset(options.brokers))
    return { addresses: await up({ ...options, folder, portOffset }), folder, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
