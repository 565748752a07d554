import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { familyOf, stopFamily } from './family.ts'
import { identify, isAlive, signal, waitForEnd } from './processes.ts'

/** A parent that leads a group, and a deaf child of it that leads one of its own. */
const child = `process.on('SIGTERM', () => undefined); setInterval(() => undefined, 1000); console.log('up')`
const parent = `
  const options = { detached: true, stdio: ['ignore', 'inherit', 'ignore'] }
  require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(child)}], options)
  setInterval(() => undefined, 1000)`

async function family(name: string) {
  const mark = `STACK_TEST_FAMILY=${name}-${process.pid}`
  const [key = '', value = ''] = mark.split('=')
  const env = { ...process.env, [key]: value }
  const started = spawn(process.execPath, ['-e', parent], {
    ...{ env, detached: true, stdio: ['ignore', 'pipe', 'ignore'] as const },
  })
  await once(started.stdout, 'data')
  return { first: identify(started.pid ?? 0), mark }
}

describe.runIf(process.platform === 'linux')('a family of processes', () => {
  it('is found by its mark, whoever leads which group, and nobody else is', async () => {
    const { first, mark } = await family('found')
    expect(familyOf(mark)).toHaveLength(2)
    expect(familyOf(mark)).toContainEqual(first)
    expect(familyOf(`${mark}0`)).toEqual([])
    expect(familyOf(mark.slice(0, -1))).toEqual([])
    expect(await stopFamily(first, mark, 100)).toBe(true)
  })

  it.each([
    ['alive', false],
    ['killed', true],
  ])('ends whole, also one that hears no SIGTERM, when its first is %s', async (name, isKilled) => {
    const { first, mark } = await family(name)
    if (isKilled) {
      signal(first, 'SIGKILL')
      await waitForEnd(first, 10_000)
      expect(familyOf(mark)).toHaveLength(1)
    }
    expect(await stopFamily(first, mark, 300)).toBe(true)
    expect(isAlive(first)).toBe(false)
    expect(familyOf(mark)).toEqual([])
    expect(await stopFamily(first, mark)).toBe(true)
  })
})
