import { beforeEach, expect, it } from 'vitest'
import { ProviderId } from '../../core/brands.ts'
import { CryptosError } from '../../core/errors.ts'
import { fromEpochMs } from '../../core/time.ts'
import { VirtualClock } from '../../core/virtual-clock.ts'
import { createLog } from '../log.ts'
import { Problems } from './problems.ts'
import { Ticker, type TickerOptions } from './ticker.ts'

let clock: VirtualClock
let problems: Problems
let isIll: boolean
let frozen: string | null
let reserved: number

/** A ledger whose every part fails while the test says so. */
const ledger = () => {
  const part =
    <T>(value: T) =>
    async (): Promise<T> => {
      if (isIll) throw new CryptosError('CRY_DISK_FULL', 'no space left')
      return value
    }
  return {
    reap: part(0),
    status: async () => {
      await part(0)()
      return [{ scope: 's', frozen, windows: [], jump: false, lastReconciledAt: null, usageTriedAt: null }]
    },
    lastSlots: part({ answered: null, tried: null, failedAt: null, failingSince: null }),
    reserve: async () => {
      reserved += 1
      throw new CryptosError('CRY_STORE_BUSY', 'another process writes')
    },
    addRun: part(undefined),
    events: part([]),
    outbox: { stats: part({ pending: 0 }), prune: part(0) },
  }
}

function openTicker(): Ticker {
  const broker = {
    partitions: async () => [],
    read: () => ReadableStream.from([]),
    produce: async () => undefined,
    applyRetention: async () => 0,
  }
  const quotes = {
    id: 'quotes',
    kind: 'quotes',
    refreshMs: 10_000,
    intervalMs: 10_000,
    pageSize: 100,
    costMax: () => 0,
  }
  const id = ProviderId('kraken')
  const provider = { id, title: 'Kraken', datasets: [quotes], assets: new Map([['bitcoin', {}]]) }
  const poll = { provider, scope: 's', access: { limits: {} } }
  const own = ledger()
  const pace = { schedule: (_: unknown, work: () => Promise<unknown>) => work() }
  const ports = { ledger: own, clock, pace, newId: () => 'id', log: createLog('silent', []) }
  const config = {
    datasets: ['quotes'],
    topAssets: 0,
    assetIds: ['bitcoin'],
    ownAssets: [],
    currency: 'USD',
    reserveShare: 0,
    minIntervalSeconds: 10,
    outboxRetentionHours: 1,
    judgementsRetentionDays: 1,
  }
  const options = {
    ...{ config, clock, log: createLog('silent', []), signal: new AbortController().signal },
    onProblem: problems.set,
    onStop: () => undefined,
    collecting: {
      ledger: own,
      broker: async () => broker,
      routes: [{ provider, poll, scope: { scope: 's', hasUsage: false } }],
      ports,
    },
  }
  return new Ticker(options as unknown as TickerOptions)
}

async function tickFor(ticker: Ticker, seconds: number): Promise<void> {
  for (let i = 0; i < seconds; i += 1) {
    ticker.tick()
    await ticker.settled()
    clock.advance(1_000)
  }
}
const names = (): string[] =>
  problems
    .list()
    .map(p => p.name)
    .sort()

beforeEach(() => {
  clock = new VirtualClock(fromEpochMs(Date.UTC(2026, 10, 21, 12)))
  problems = new Problems()
  isIll = false
  frozen = 'by hand'
  reserved = 0
})

it('names everything that a fault of the ledger keeps from working, and is well when it is over', async () => {
  const ticker = openTicker()
  isIll = true
  await tickFor(ticker, 11)
  expect(names()).toEqual([
    'collect.kraken.quotes',
    'housekeeping',
    'ledger',
    'publish',
    'publish.quota-events',
  ])
  isIll = false
  await tickFor(ticker, 61)
  expect(names()).toEqual([])
})

it('asks for no permit while spending is frozen, and goes on within seconds after', async () => {
  const ticker = openTicker()
  await tickFor(ticker, 60)
  expect([reserved, names()]).toEqual([0, []])
  frozen = null
  await tickFor(ticker, 20)
  expect(reserved).toBeGreaterThan(0)
  expect(problems.list()).toEqual([
    {
      name: 'collect.kraken.quotes',
      what: expect.stringMatching(/^ledger-unavailable: .*another process writes/),
    },
  ])
})

it('asks seldom while it fails', async () => {
  frozen = null
  await tickFor(openTicker(), 200)
  // 10 + 20 + 40 + 60 + 60 s: not once a second.
  expect(reserved).toBeGreaterThan(2)
  expect(reserved).toBeLessThanOrEqual(6)
})
