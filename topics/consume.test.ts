import { expect, it } from 'vitest'
import { CryptosError } from '../core/errors.ts'
import { fromEpochMs } from '../core/time.ts'
import { VirtualClock } from '../core/virtual-clock.ts'
import { consumeLog, type LogStore } from './consume.ts'
import { until } from './harness.contract.ts'
import { Wakes } from './wakes.ts'

/** A log of one message whose parts fail while the test says so. */
function openLog() {
  const ill = new Set<'states' | 'fetch' | 'commit'>()
  const fail = (part: 'states' | 'fetch' | 'commit', code: 'CRY_DISK_FULL' | 'CRY_STORE_CORRUPT'): void => {
    if (ill.has(part)) throw new CryptosError(code, part)
  }
  const clock = new VirtualClock(fromEpochMs(0))
  const message = {
    topic: 't',
    partition: 0,
    offset: 0,
    key: '',
    value: null,
    headers: {},
    timestamp: clock.now(),
  }
  const store: LogStore = {
    states: () => {
      fail('states', 'CRY_DISK_FULL')
      return [{ topic: 't', partition: 0, begin: 0, end: 1 }]
    },
    fetch: (_topic, _partition, offset) => {
      fail('fetch', 'CRY_DISK_FULL')
      return offset === 0 ? [message] : []
    },
    committedOffset: () => undefined,
    commit: async () => fail('commit', 'CRY_DISK_FULL'),
    wakes: new Wakes(),
  }
  return { store, ill, clock }
}

function consume({ store, clock }: ReturnType<typeof openLog>) {
  const told: string[] = []
  const end = new AbortController()
  const done = consumeLog(
    store,
    {
      group: 'g',
      topics: ['t'],
      limits: { maxRecords: 1, maxBytes: 1_000, maxAgeMs: 0 },
      signal: end.signal,
      onBatch: async batch => void told.push(`batch of ${batch.messages.length}`),
      onCommitted: () => told.push('committed'),
      onError: (error, batch) =>
        told.push(`${(error as CryptosError).message} failed, ${batch.messages.length} in hand`),
      onRecovered: () => told.push('recovered'),
    },
    clock,
  )
  const stop = async (): Promise<void> => {
    end.abort()
    await done
  }
  return { told, stop, done }
}

/** Lets every pause end. */
const onceMore = (log: ReturnType<typeof openLog>, told: readonly string[], count: number) =>
  until(() => {
    log.clock.advance(1_000)
    return told.length >= count
  }, `${count} events`)

it('a log that can not be read is tried again, and the subscription goes on when it can', async () => {
  const log = openLog()
  log.ill.add('fetch')
  const { told, stop } = consume(log)
  await onceMore(log, told, 3)
  expect(told).toEqual(Array(told.length).fill('fetch failed, 0 in hand'))
  log.ill.clear()
  const before = told.length
  await onceMore(log, told, before + 3)
  await stop()
  expect(told.slice(before)).toEqual(['batch of 1', 'recovered', 'committed'])
})

it('a commit that fails gives the batch again, and tells when it is over', async () => {
  const log = openLog()
  log.ill.add('commit')
  const { told, stop } = consume(log)
  await onceMore(log, told, 4)
  log.ill.clear()
  await onceMore(log, told, told.length + 2)
  await stop()
  expect(told.slice(0, 4)).toEqual([
    'batch of 1',
    'commit failed, 1 in hand',
    'batch of 1',
    'commit failed, 1 in hand',
  ])
  expect(told.slice(-3)).toEqual(['batch of 1', 'recovered', 'committed'])
})

it('a log that is busy at the start is waited for; the signal ends that too', async () => {
  const log = openLog()
  log.ill.add('states')
  const first = consume(log)
  log.clock.advance(1_000)
  await first.stop()
  const second = consume(log)
  log.clock.advance(1_000)
  log.ill.clear()
  await onceMore(log, second.told, 2)
  await second.stop()
  expect([first.told, second.told]).toEqual([[], ['batch of 1', 'committed']])
})
