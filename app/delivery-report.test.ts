import { expect, it } from 'vitest'
import { CryptosError } from '../core/errors.ts'
import type { QuoteSink } from '../core/ports/sink.ts'
import { fromEpochMs, MINUTE } from '../core/time.ts'
import { VirtualClock } from '../core/virtual-clock.ts'
import { DeliveryReport } from './delivery-report.ts'
import { createLog } from './log.ts'
import { Problems } from './pipeline/problems.ts'

const error = new CryptosError('CRY_DISK_FULL', 'no space left')
const source = { group: 'g', topic: 't', partition: 0, first: 0, end: 1 }
const counters = { received: 0, written: 0, superseded: 0, dead: 0, retried: 0 }
const stored = { kind: 'batch-stored', source, lag: 0, counters } as const
const back = (partition: number) => ({ kind: 'batch-thrown-back', topic: 't', partition, error }) as const
const recovered = (partition: number) => ({ kind: 'recovered', topic: 't', partition }) as const

function open() {
  const clock = new VirtualClock(fromEpochMs(0))
  const problems = new Problems()
  const sink: QuoteSink = {
    name: 'sqlite',
    write: () => Promise.reject(error),
    close: async () => undefined,
  }
  const log = createLog('silent', [])
  const report = new DeliveryReport({ clock, log, onProblem: problems.set }, sink)
  return { clock, report, sink, names: () => problems.list().map(p => p.name) }
}

it('tells a store that fails from a log that fails', async () => {
  const { report, sink, names } = open()
  report.on(back(0))
  expect(names()).toEqual(['log'])
  report.on(recovered(0))
  expect(names()).toEqual([])
  await expect(report.watched(sink).write([], source)).rejects.toBe(error)
  report.on(back(0))
  expect(names()).toEqual(['sink.sqlite'])
  report.on(stored)
  expect(names()).toEqual([])
})

it('is well only when the last partition is', () => {
  const { report, names } = open()
  report.on(back(0))
  report.on(back(1))
  report.on(recovered(0))
  report.on(stored)
  expect(names()).toEqual(['log'])
  report.on(recovered(1))
  expect(names()).toEqual([])
})

it('tells of records that retention took for ten minutes, then no more', () => {
  const { report, clock, names } = open()
  report.on({ kind: 'gap', topic: 't', partition: 0, from: 0, to: 7 })
  report.on(stored)
  expect(names()).toEqual(['topic.gap'])
  clock.advance(10 * MINUTE)
  report.on(stored)
  expect(names()).toEqual([])
})
