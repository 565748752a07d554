import { beforeEach, describe, expect, it } from 'vitest'
import { CryptosError } from '../../core/errors.ts'
import { fromEpochMs } from '../../core/time.ts'
import { VirtualClock } from '../../core/virtual-clock.ts'
import { type JobEnd, Jobs, well } from './jobs.ts'
import { Problems } from './problems.ts'

let clock = new VirtualClock(fromEpochMs(0))
let problems = new Problems()
let stopped: unknown[] = []
let logged: string[] = []
let jobs: Jobs
let turns = 0

beforeEach(() => {
  clock = new VirtualClock(fromEpochMs(0))
  logged = []
  const write = (_: object, text: string): void => void logged.push(text)
  problems = new Problems(undefined, { info: write, warn: write })
  stopped = []
  turns = 0
  const { signal } = new AbortController()
  jobs = new Jobs({ clock, signal, onProblem: problems.set, onStop: error => stopped.push(error) })
})

/** One tick a second. */
async function tickFor(seconds: number, work: () => Promise<JobEnd>): Promise<void> {
  for (let i = 0; i < seconds; i += 1) {
    jobs.start('job', () => {
      turns += 1
      return work()
    })
    await jobs.settled()
    clock.advance(1_000)
  }
}
const full = async (): Promise<JobEnd> => {
  throw new CryptosError('CRY_DISK_FULL', `no space at ${clock.now()}`)
}

describe('a job', () => {
  it('that fails is trouble under its name, and is well again by itself when the fault is over', async () => {
    await tickFor(30, full)
    expect(problems.list()).toMatchObject([{ name: 'job', what: expect.stringContaining('no space') }])
    await tickFor(60, async () => well(0))
    expect(problems.list()).toEqual([])
  })
  it('rests 10, 20, 40, then 60 s after trouble, and is logged once', async () => {
    await tickFor(250, full)
    expect(turns).toBe(6)
    expect(logged).toEqual(['no space at 0'])
    await tickFor(60, async () => well(0))
    expect(logged).toEqual(['no space at 0', 'well again'])
  })
  it('is logged again when it is another trouble', async () => {
    await tickFor(1, full)
    clock.advance(60_000)
    await tickFor(1, async () => ({ trouble: { what: 'frozen: by hand', kind: 'frozen' } }))
    expect(logged).toEqual(['no space at 0', 'frozen: by hand'])
  })
  it('keeps what was said of it when a turn says nothing new', async () => {
    await tickFor(1, full)
    clock.advance(60_000)
    await tickFor(1, async () => ({ restMs: 1_000 }))
    expect(problems.list()).toHaveLength(1)
  })
  it('that is under way for long is told before it has failed, and never started beside itself', async () => {
    const gate = Promise.withResolvers<JobEnd>()
    for (let i = 0; i < 5; i += 1) {
      jobs.start('job', () => gate.promise, 3_000)
      clock.advance(1_000)
    }
    expect(problems.list()).toMatchObject([{ name: 'job', what: expect.stringContaining('more than 3 s') }])
    gate.resolve(well(0))
    await jobs.settled()
    expect(problems.list()).toEqual([])
  })
  it('ends the pipeline by an error that no other try can mend, and by no other', async () => {
    await tickFor(60, full)
    expect(stopped).toEqual([])
    for (const code of ['CRY_STORE_CORRUPT', 'CRY_STORE_BROKEN'] as const) {
      const error = new CryptosError(code, 'planted')
      await jobs.now('other', () => Promise.reject(error))
      expect(stopped.pop()).toBe(error)
    }
  })
})
