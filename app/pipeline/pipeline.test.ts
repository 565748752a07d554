import { existsSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { systemClock } from '../../host/clock.ts'
import { loadConfig } from '../config/load.ts'
import { createLog } from '../log.ts'
import { sandboxSource } from '../source.ts'
import { storeFiles } from '../stores.ts'
import { runPipeline } from './pipeline.ts'
import { Problems } from './problems.ts'
import { startPipelineThread } from './supervise.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cryptos-pipeline-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function options() {
  const config = loadConfig({ CRYPTOS_DATA_DIR: folder, CRYPTOS_SOURCE: 'sandbox' })
  return { config, source: sandboxSource(config, 'http://127.0.0.1:9') }
}

/** Files of the folder that this process has open. */
const openFiles = (): string[] =>
  readdirSync('/proc/self/fd').flatMap(fd => {
    try {
      const file = readlinkSync(`/proc/self/fd/${fd}`)
      return file.startsWith(folder) ? [file] : []
    } catch {
      // The descriptor that listed them is closed by now.
      return []
    }
  })

it.skipIf(!existsSync('/proc/self/fd')).each(['ledger', 'log', 'series'] as const)(
  'that can not open %s.db says so and leaves nothing open',
  async name => {
    const { config, source } = options()
    mkdirSync(source.folder, { recursive: true })
    writeFileSync(storeFiles(source.folder)[name], Buffer.alloc(20_480, 'no database '))
    const { signal } = new AbortController()
    let ready = 0
    const running = runPipeline({
      ...{ config, source, signal, clock: systemClock, log: createLog('silent', []) },
      onReady: () => (ready += 1),
      onProblem: () => undefined,
    })
    await expect(running).rejects.toMatchObject({ code: 'CRY_STORE_CORRUPT' })
    expect([ready, openFiles()]).toEqual([0, []])
  },
)

it('is not started after a signal, and a signal ends a start', async () => {
  const problems = new Problems()
  const reason = new DOMException('stopped by SIGTERM', 'AbortError')
  await expect(startPipelineThread(options(), problems, AbortSignal.abort(reason))).rejects.toBe(reason)
  const controller = new AbortController()
  const starting = startPipelineThread(options(), problems, controller.signal)
  controller.abort(reason)
  await expect(starting).rejects.toBe(reason)
})
