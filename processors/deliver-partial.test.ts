import { expect, it } from 'vitest'
import { CryptosError } from '../core/errors.ts'
import { turns, until } from '../topics/harness.contract.ts'
import { clock, events, good, kinds, letters, nth, run, sink, topic } from './delivery.contract.ts'
import { broker, committed, useDelivery } from './delivery.contract.ts'
import { pauseMsOf } from './retry.ts'
import { all } from './sink.contract.ts'

useDelivery()

it('buries the records that a sink names as wrong, without writing the others again', async () => {
  const refused = new Map([
    [1, 'beyond the retention'],
    [3, 'of another type'],
  ])
  sink.fail = quotes => {
    sink.rows.push(...quotes.filter((_, i) => !refused.has(i)))
    const partial = { written: 2, superseded: 1, refused }
    return new CryptosError('CRY_RECORD_INVALID', 'beyond the retention', { partial })
  }
  await broker.produce([0, 1, 2, 3, 4].map(good))
  const delivery = run()
  await until(() => kinds().includes('batch-stored'), 'stored')
  expect(await delivery.stop()).toEqual({ received: 5, written: 2, superseded: 1, dead: 2, retried: 0 })
  expect(sink.rows).toEqual([nth(0), nth(2), nth(4)])
  const buried = await all(letters.list())
  expect(buried.map(l => [l.topic, l.offset, l.code, l.reason])).toEqual([
    [topic, 1, 'CRY_RECORD_INVALID', 'beyond the retention'],
    [topic, 3, 'CRY_RECORD_INVALID', 'of another type'],
  ])
  expect(Buffer.from(buried[0]?.bytes ?? '', 'base64')).toEqual(Buffer.from(good(1).value ?? []))
  expect(await committed()).toBe(5)
})

it('waits as long as the server asked for, up to five minutes, and never shorter than by itself', async () => {
  const asked = [90_000, 3_600_000, 1]
  let tries = 0
  sink.fail = () => {
    const ms = asked[tries]
    tries += 1
    if (ms === undefined) return undefined
    const retryAtMs = clock.now() / 1_000 + ms
    return new CryptosError('CRY_SERVER_BUSY', 'later', { retryAtMs })
  }
  await broker.produce([good(0)])
  const delivery = run()
  await until(() => tries === 1, 'the first try')
  for (let i = 0; i < 100 && sink.rows.length === 0; i += 1) {
    clock.advance(10_000)
    await turns(3)
  }
  await until(() => sink.rows.length === 1, 'stored')
  await delivery.stop()
  const pauses = events.flatMap(e => (e.kind === 'write-retried' ? [e.pauseMs] : []))
  expect(pauses).toEqual([90_000, 300_000, pauseMsOf(3, () => 0)])
})
