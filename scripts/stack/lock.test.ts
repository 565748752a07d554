import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { locked } from './lock.ts'
import { identify } from './processes.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cryptos-lock-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const lockFile = (): string => join(folder, 'stack.lock')
const free = (limitMs = 2_000): Promise<string> => locked(folder, () => Promise.resolve('in'), limitMs)

/** Goes in `rounds` times, is alone there or says so, and leaves a lock each time as one that was killed inside does. */
const contender = (rounds: number): string => `
  import { openSync, closeSync, renameSync, rmSync, writeFileSync } from 'node:fs'
  import { setTimeout as sleep } from 'node:timers/promises'
  import { locked } from ${JSON.stringify(join(import.meta.dirname, 'lock.ts'))}
  const folder = ${JSON.stringify(folder)}
  for (let round = 0; round < ${rounds}; round += 1) {
    await locked(folder, async () => {
      closeSync(openSync(folder + '/inside', 'wx'))
      await sleep(2)
      rmSync(folder + '/inside')
      const dead = { pid: process.pid, startedAt: 'long ago', mark: process.pid + '/' + round }
      const aside = folder + '/dead' + process.pid
      writeFileSync(aside, JSON.stringify(dead))
      renameSync(aside, folder + '/stack.lock')
    })
  }`

async function run(script: string): Promise<string> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const said: string[] = []
  child.stderr.setEncoding('utf8').on('data', text => said.push(String(text)))
  const [code] = (await once(child, 'close')) as [number | null]
  return `${code} ${said.join('')}`
}

describe('the lock of a folder', () => {
  it('lets one run in at a time, and leaves nothing', async () => {
    const order: string[] = []
    const one = (name: string): Promise<void> =>
      locked(folder, async () => {
        order.push(`${name} in`)
        await new Promise(resolve => setTimeout(resolve, 30))
        order.push(`${name} out`)
      })
    await Promise.all([one('a'), one('b')])
    expect(order.map(each => each.slice(2))).toEqual(['in', 'out', 'in', 'out'])
    expect(readdirSync(folder)).toEqual([])
  })

  it.each([
    ['a dead process', JSON.stringify({ pid: process.pid, startedAt: 'long ago' })],
    ['one that was killed before it wrote who it is', ''],
    ['a broken text', '{"pid":'],
    ['a text without a process', '{}'],
  ])('of %s holds nothing back', async (_who, text) => {
    writeFileSync(lockFile(), text)
    expect(await free()).toBe('in')
    expect(readdirSync(folder)).toEqual([])
  })

  it('of a live one is waited for, and stays', async () => {
    const text = JSON.stringify(identify(process.pid))
    writeFileSync(lockFile(), text)
    await expect(free(150)).rejects.toMatchObject({ code: 'CRY_SERVER_BUSY' })
    expect(readFileSync(lockFile(), 'utf8')).toBe(text)
  })

  it('is not removed by who lost it', async () => {
    await locked(folder, () => Promise.resolve(writeFileSync(lockFile(), 'of another')))
    expect(readFileSync(lockFile(), 'utf8')).toBe('of another')
  })

  it('is taken over by one alone of many that find it stale', async () => {
    const ends = await Promise.all(Array.from({ length: 4 }, () => run(contender(60))))
    expect(ends).toEqual(['0 ', '0 ', '0 ', '0 '])
  })
})
