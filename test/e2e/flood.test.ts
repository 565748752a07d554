import { Agent, get } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseIso, SECOND } from '../../core/time.ts'
import { createClockFile, moveClockFile, openClockFile } from '../../sandbox/clock-file.ts'
import { type Sandbox, startSandbox } from '../../sandbox/server.ts'
import { servedEntries } from '../support/judge.ts'
import { type Running, startCryptos, until } from '../support/program.ts'
import { scratch } from '../support/scratch.ts'

const connections = 40
const sweepsMeanwhile = 3

/** Asks as fast as answers come, on one connection, until told to stop. Returns how many answers came, refusals too. */
async function flood(url: string, isOver: () => boolean): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  let answers = 0
  while (!isOver()) {
    await new Promise<void>(resolve => {
      const request = get(url, { agent }, response => response.resume().on('close', resolve))
      request.on('error', () => resolve())
    })
    answers += 1
  }
  agent.destroy()
  return answers
}

describe('a flood of the page', () => {
  const folder = scratch('flood')
  const clockFile = folder.file('clock')
  let sandbox: Sandbox
  let up: Running
  let page = ''

  beforeAll(async () => {
    createClockFile(clockFile, parseIso('2026-11-03T12:00:00Z'))
    sandbox = await startSandbox({ clock: openClockFile(clockFile) })
    up = startCryptos(['up', '--port', '0', '--json'], {
      CRYPTOS_DATA_DIR: folder.file('data'),
      CRYPTOS_SOURCE: 'sandbox',
      CRYPTOS_SANDBOX_URL: sandbox.url,
      CRYPTOS_SANDBOX_CLOCK_FILE: clockFile,
      CRYPTOS_PROVIDERS: 'kraken',
    })
    await up.says('"url"')
    page = String((JSON.parse(up.said.stdout) as { url: string }).url)
  })
  afterAll(async () => {
    up.child.kill('SIGTERM')
    await up.ended
    await sandbox.close()
    folder[Symbol.dispose]()
  })

  it('does not stop the collecting, which has a thread of its own', async () => {
    const served = (): number => servedEntries(sandbox.meter).length
    const sweepOn = async (): Promise<void> => {
      const before = served()
      await until(() => {
        moveClockFile(clockFile, { advanceMs: SECOND })
        return served() > before
      })
    }
    await sweepOn()
    let over = false
    const floods = Array.from({ length: connections }, () => flood(`${page}api/v1/latest`, () => over))
    for (let i = 0; i < sweepsMeanwhile; i += 1) await sweepOn()
    over = true
    const answers = (await Promise.all(floods)).reduce((sum, count) => sum + count, 0)
    console.log(
      `${answers} requests on ${connections} connections; ${sweepsMeanwhile} sweeps were collected meanwhile`,
    )
    // The flood was real: far more was asked than the connections could have had answered at once.
    expect(answers).toBeGreaterThan(connections * 5)
  })
})
