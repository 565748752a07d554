import { afterAll, beforeAll } from 'vitest'
import { systemClock } from '../../host/clock.ts'
import { type Sandbox, type SandboxOptions, startSandbox } from '../../sandbox/server.ts'
import type { Env } from './program.ts'
import { scratch } from './scratch.ts'

/** A sandbox and a folder for the tests of a file; both are gone after the last. */
export interface Simulated {
  readonly place: ReturnType<typeof scratch>
  /** From the first test on. */
  readonly sandbox: Sandbox
  /** Settings of a program with simulated data in a folder of its own. */
  env(folder: string, more?: Env): Env
}

/** To be called at the top of a test file. */
export function useSandbox(name: string, options: Omit<SandboxOptions, 'clock'> = {}): Simulated {
  const place = scratch(name)
  let sandbox: Sandbox | undefined
  beforeAll(async () => {
    sandbox = await startSandbox({ clock: systemClock, ...options })
  })
  afterAll(async () => {
    await sandbox?.close()
    place[Symbol.dispose]()
  })
  const running = (): Sandbox => {
    if (!sandbox) throw new Error('the sandbox starts with the first test')
    return sandbox
  }
  return {
    place,
    get sandbox() {
      return running()
    },
    env: (folder, more = {}) => ({
      CRYPTOS_SOURCE: 'sandbox',
      CRYPTOS_SANDBOX_URL: running().url,
      CRYPTOS_DATA_DIR: place.file(folder),
      ...more,
    }),
  }
}
