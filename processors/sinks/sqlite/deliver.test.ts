import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { EpochMicros } from '../../../core/brands.ts'
import { until } from '../../../topics/harness.contract.ts'
import {
  broker,
  clock,
  committed,
  events,
  good,
  kinds,
  nth,
  run,
  topic,
  useDelivery,
} from '../../delivery.contract.ts'
import { all } from '../../sink.contract.ts'
import { openSqliteReader } from './reader.ts'
import { openSqliteSink } from './sink.ts'

const root = mkdtempSync(join(tmpdir(), 'cryptos-deliver-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
useDelivery()

describe('deliver into sqlite', () => {
  const openStore = async (file: string) => ({
    sink: await openSqliteSink({ file, clock }),
    reader: await openSqliteReader({ file }),
  })
  const range = { from: EpochMicros(0), to: EpochMicros(9e15) }

  it('goes on from the place in the store when the commit of the group was lost', async () => {
    const store = await openStore(join(mkdtempSync(join(root, 'x')), 's.db'))
    await broker.produce([good(0), good(1)])
    await store.sink.write([nth(0)], { group: 'sink.sqlite', topic, partition: 0, first: 0, end: 1 })
    const delivery = run({ sink: store.sink })
    await until(() => kinds().includes('batch-stored'), 'stored')
    expect(await delivery.stop()).toMatchObject({ received: 1, written: 1 })
    expect(await all(store.reader.rows(range))).toEqual([nth(0), nth(1)])
    await Promise.all([store.reader.close(), store.sink.close()])
  })

  it('fills a store that was made anew from the whole log, although the group has committed', async () => {
    const first = await openStore(join(mkdtempSync(join(root, 'x')), 's.db'))
    await broker.produce([good(0), good(1)])
    const one = run({ sink: first.sink })
    await until(() => kinds().includes('batch-stored'), 'stored')
    await one.stop()
    expect(await committed('sink.sqlite')).toBe(2)
    const second = await openStore(join(mkdtempSync(join(root, 'x')), 's.db'))
    events.length = 0
    const two = run({ sink: second.sink })
    await until(() => kinds().includes('batch-stored'), 'stored again')
    await two.stop()
    expect(await all(second.reader.rows(range))).toHaveLength(2)
    await Promise.all([first, second].flatMap(s => [s.reader.close(), s.sink.close()]))
  })
})
