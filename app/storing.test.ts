import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CryptosError } from '../core/errors.ts'
import type { Broker } from '../core/ports/broker.ts'
import type { Quote } from '../core/records.ts'
import { fromEpochMs } from '../core/time.ts'
import { VirtualClock } from '../core/virtual-clock.ts'
import { quote } from '../processors/sink.contract.ts'
import { openMemoryBroker } from '../topics/brokers/memory.ts'
import { turns, until } from '../topics/harness.contract.ts'
import { quoteMessage } from '../topics/messages.ts'
import { usedTopics } from '../topics/table.ts'
import { loadConfig } from './config/load.ts'
import type { StoreName } from './config/parts.ts'
import { createLog } from './log.ts'
import type { StoreSink } from './open-store.ts'
import { Problems } from './pipeline/problems.ts'
import { runStores, type StoreToRun } from './storing.ts'
import { groupOf, topics } from './stores.ts'

const start = fromEpochMs(Date.UTC(2026, 10, 21, 12))
const config = loadConfig({ CRYPTOS_DATA_DIR: '/nowhere', CRYPTOS_BATCH_MAX_AGE_MS: '0' })
let clock = new VirtualClock(start)
let broker: Broker
let problems = new Problems()
let end = new AbortController()
beforeEach(async () => {
  clock = new VirtualClock(start)
  broker = await openMemoryBroker({ clock, topics: usedTopics(topics) })
  problems = new Problems()
  end = new AbortController()
  await broker.produce([quoteMessage(topics.quotes.name, quote())])
})
afterEach(() => broker.close())

/** A store whose answers a test decides. */
function fakeStore(name: StoreName, fail: () => unknown = () => undefined) {
  const rows: Quote[] = []
  let closed = 0
  const write = async (records: readonly unknown[]) => {
    const error = fail()
    if (error !== undefined) throw error
    return { written: records.length, superseded: 0 }
  }
  const close = async (): Promise<void> => {
    closed += 1
  }
  const sink: StoreSink = {
    ...{ name, close },
    write: async quotes => {
      const result = await write(quotes)
      rows.push(...quotes)
      return result
    },
    market: { name, write, close, prune: async () => 0 },
  }
  return { rows, sink, closed: () => closed }
}

const toRun = (name: StoreName, open: StoreToRun['open']): StoreToRun => ({ name, open })
const run = (...stores: StoreToRun[]) => {
  const source = { origin: 'sandbox' } as const
  const ports = { config, source, broker, clock, log: createLog('silent', []), onProblem: problems.set }
  const done = runStores(ports, stores, end.signal)
  // A test that expects the error awaits `done` itself.
  done.catch(() => undefined)
  return done
}
const names = (): string[] => problems.list().map(p => p.name)
const seconds = async (count: number): Promise<void> => {
  for (let i = 0; i < count * 10; i += 1) {
    clock.advance(100)
    await turns(3)
  }
}
const committed = async (store: string): Promise<number> =>
  (await broker.committed(groupOf('quotes', store))).reduce((sum, c) => sum + c.offset, 0)

describe('several stores', () => {
  it('each get every record, by groups of their own', async () => {
    const [one, two] = [fakeStore('cassandra'), fakeStore('influxdb')]
    const done = run(
      toRun('cassandra', async () => one.sink),
      toRun('influxdb', async () => two.sink),
    )
    await until(() => one.rows.length + two.rows.length === 2, 'stored')
    end.abort()
    expect(await done).toMatchObject({ received: 2, written: 2 })
    expect([await committed('cassandra'), await committed('influxdb')]).toEqual([1, 1])
    expect([one.closed(), two.closed()]).toEqual([1, 1])
  })

  it('never wait for one that can not be reached, and it is filled as soon as it can', async () => {
    let isUp = false
    const [well, late] = [fakeStore('cassandra'), fakeStore('influxdb')]
    const open = async () => {
      if (!isUp) throw new CryptosError('CRY_SERVER_UNREACHABLE', 'nobody listens')
      return late.sink
    }
    const done = run(
      toRun('cassandra', async () => well.sink),
      toRun('influxdb', open),
    )
    await until(() => well.rows.length === 1, 'the other is stored')
    await seconds(5)
    expect(names()).toEqual(['sink.influxdb'])
    isUp = true
    await seconds(31)
    expect(late.rows).toHaveLength(1)
    expect(names()).toEqual([])
    end.abort()
    await done
  })

  it('never wait for one whose writes fail, nor end with one that must stop; that is told, and thrown at the end', async () => {
    const corrupt = new CryptosError('CRY_SERVER_REFUSED', 'wrong password')
    const [well, ill] = [fakeStore('cassandra'), fakeStore('influxdb', () => corrupt)]
    const done = run(
      toRun('influxdb', async () => ill.sink),
      toRun('cassandra', async () => well.sink),
    )
    await until(() => names().includes('sink.influxdb'), 'told')
    const later = { observedAt: fromEpochMs(Date.UTC(2026, 10, 21, 13)) }
    await broker.produce([quoteMessage(topics.quotes.name, quote(later))])
    await until(() => well.rows.length === 2, 'the other goes on')
    expect(await committed('influxdb')).toBe(0)
    end.abort()
    await expect(done).rejects.toBe(corrupt)
    expect([ill.closed(), well.closed()]).toEqual([1, 1])
  })

  it('open one that had to stop again each minute, and it is filled as soon as somebody has mended it', async () => {
    let refused: unknown = new CryptosError('CRY_SERVER_REFUSED', 'no right to write')
    const [well, ill] = [fakeStore('cassandra'), fakeStore('influxdb', () => refused)]
    let opened = 0
    const open = async () => {
      opened += 1
      return ill.sink
    }
    const done = run(
      toRun('influxdb', open),
      toRun('cassandra', async () => well.sink),
    )
    await until(() => ill.closed() === 1, 'stopped')
    await seconds(59)
    expect([opened, names()]).toEqual([1, ['sink.influxdb']])
    refused = undefined
    await seconds(2)
    expect([opened, ill.rows.length, names()]).toEqual([2, 1, []])
    end.abort()
    expect(await done).toMatchObject({ written: 2 })
  })

  it('end when all of them had to stop, and when an essential one had to', async () => {
    const refused = new CryptosError('CRY_SERVER_REFUSED', 'no right to write')
    const ill = (name: StoreName) => fakeStore(name, () => refused).sink
    const all = run(
      toRun('influxdb', async () => ill('influxdb')),
      toRun('cassandra', async () => ill('cassandra')),
    )
    await expect(all).rejects.toBe(refused)
    const well = fakeStore('cassandra')
    const essential = run(
      { ...toRun('sqlite', async () => ill('sqlite')), isEssential: true },
      toRun('cassandra', async () => well.sink),
    )
    await expect(essential).rejects.toBe(refused)
    expect(well.closed()).toBe(1)
  })

  it('end at the signal although a server is asked how far they have read, and is silent', async () => {
    const well = fakeStore('cassandra')
    const silent = { ...broker, committed: () => new Promise<never>(() => undefined) }
    for (const name of ['produce', 'consume', 'read', 'partitions'] as const)
      Object.assign(silent, { [name]: broker[name].bind(broker) })
    const ports = { config, source: { origin: 'sandbox' } as const, broker: silent as Broker, clock }
    const done = runStores(
      { ...ports, log: createLog('silent', []), onProblem: problems.set },
      [toRun('cassandra', async () => well.sink)],
      end.signal,
    )
    await until(() => well.rows.length === 1, 'stored')
    end.abort()
    expect(await done).toMatchObject({ written: 1 })
  })

  it('end at once when one can not be opened for a reason that time does not mend', async () => {
    const well = fakeStore('cassandra')
    const refused = new CryptosError('CRY_SERVER_REFUSED', 'wrong password')
    const done = run(
      toRun('cassandra', async () => well.sink),
      toRun('influxdb', () => Promise.reject(refused)),
    )
    await expect(done).rejects.toBe(refused)
    expect(well.closed()).toBe(1)
  })
})
