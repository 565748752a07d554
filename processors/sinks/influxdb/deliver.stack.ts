import { afterEach, expect, it, vi } from 'vitest'
import { EpochMicros } from '../../../core/brands.ts'
import { systemClock } from '../../../host/clock.ts'
import { quoteMessage } from '../../../topics/messages.ts'
import {
  broker,
  committed,
  events,
  kinds,
  letters,
  run,
  topic,
  useDelivery,
} from '../../delivery.contract.ts'
import { all, quote } from '../../sink.contract.ts'
import { InfluxConnection } from './connection.ts'
import { ask, name } from './influxql.ts'
import { openStore, storeOptions } from './stack.contract.ts'

useDelivery()
const hour = 3_600_000_000
const always = { from: EpochMicros(0), to: EpochMicros(9e15) }
const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function openOwn(more = {}) {
  const options = storeOptions({ clock: systemClock, ...more })
  const store = await openStore(options)
  const connection = new InfluxConnection(options)
  closing.push(store.close, () => connection.close())
  return { ...store, connection, database: name(options.database) }
}
const now = (): number => Math.floor(Date.now() / 1_000) * 1_000_000

it('values beyond the retention go to the dead letters with that reason, their neighbours into the store', async () => {
  const { sink, reader, connection, database } = await openOwn({ retentionPolicy: 'short' })
  await ask(connection, [`ALTER RETENTION POLICY "short" ON ${database} DURATION 3h SHARD DURATION 1h`])
  const rows = [0, 9, 1, 30, 2].map((hours, i) =>
    quote({ observedAt: EpochMicros(now() - hours * hour + i) }),
  )
  await broker.produce(rows.map(row => quoteMessage(topic, row)))
  const delivery = run({ sink })
  await vi.waitFor(() => expect(kinds()).toContain('batch-stored'), { timeout: 20_000 })
  expect(await delivery.stop()).toEqual({ received: 5, written: 3, superseded: 0, dead: 2, retried: 0 })
  const buried = await all(letters.list())
  expect(buried.map(l => l.offset)).toEqual([1, 3])
  for (const { reason, code } of buried)
    expect([code, reason]).toEqual(['CRY_RECORD_INVALID', expect.stringMatching(/beyond retention policy/)])
  const kept = [rows[4], rows[2], rows[0]]
  expect(await all(reader.rows(always))).toEqual(kept)
  expect(await committed('sink.influxdb')).toBe(5)
  expect(events.filter(e => e.kind === 'write-retried')).toEqual([])
})

it('values of a shard where something else wrote another type go there too', async () => {
  const { sink, reader, connection } = await openOwn()
  const week = 7 * 24 * hour
  const spoiled = now() - 5 * week
  await connection.send(`quote,provider=x price=1i ${spoiled}`)
  const rows = [0, 1, 2, 3].map(i => quote({ observedAt: EpochMicros((i % 2 === 0 ? now() : spoiled) + i) }))
  await broker.produce(rows.map(row => quoteMessage(topic, row)))
  const delivery = run({ sink })
  await vi.waitFor(() => expect(kinds()).toContain('batch-stored'), { timeout: 20_000 })
  expect(await delivery.stop()).toMatchObject({ received: 4, written: 2, dead: 2 })
  expect((await all(letters.list())).map(l => [l.offset, /field type conflict/.test(l.reason)])).toEqual([
    [1, true],
    [3, true],
  ])
  expect(await all(reader.rows(always))).toEqual([rows[0], rows[2]])
  // The next start says it at once, and stops.
  await expect(openStore(connection.options)).rejects.toMatchObject({
    code: 'CRY_SERVER_CONFIG',
    message: expect.stringMatching(/"price" of type integer/),
  })
})
