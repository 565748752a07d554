import { expect, it } from 'vitest'
import type { BatchSource, RecordSink, StoreResult } from '../core/ports/sink.ts'
import type { MarketRecord } from '../core/records.ts'
import { marketRecordJson } from '../topics/codecs/market-record-json.ts'
import { until } from '../topics/harness.contract.ts'
import { marketRecordMessage } from '../topics/messages.ts'
import { deliver } from './deliver.ts'
import { broker, clock, good, letters, start, table, useDelivery } from './delivery.contract.ts'
import { flagAt } from './market.contract.ts'

useDelivery()

it('delivers any record with the same guarantees: bad ones to the dead letters, neighbours stored, then committed', async () => {
  const rows: MarketRecord[] = []
  const sink: RecordSink<MarketRecord> = {
    name: 'fake',
    async write(records: readonly MarketRecord[], _: BatchSource): Promise<StoreResult> {
      rows.push(...records)
      return { written: records.length, superseded: 0 }
    },
    close: async () => undefined,
  }
  const topic = table.sourceEvents.name
  const flags = [flagAt(start), flagAt(start + 1)]
  const [one, two] = flags.map(f => marketRecordMessage(table, f))
  const spoilt = { ...one!, value: new TextEncoder().encode('{"kind":"trade"}') }
  // A quote has lost its way: its schema is another.
  await broker.produce([one!, spoilt, { ...good(0), topic }, two!])
  const end = new AbortController()
  const done = deliver({
    ...{ broker, sink, topic, clock, codec: marketRecordJson, signal: end.signal, deadLetters: letters },
    group: 'sink.fake.sourceEvents',
    limits: { maxRecords: 100, maxBytes: 100_000_000, maxAgeMs: 0 },
  })
  await until(() => rows.length === 2, 'both rows')
  end.abort()
  expect(await done).toEqual({ received: 4, written: 2, superseded: 0, dead: 2, retried: 0 })
  expect(rows).toEqual(flags)
  expect((await Array.fromAsync(letters.list())).map(l => [l.stage, l.offset])).toEqual([
    ['sink.fake.sourceEvents', 1],
    ['sink.fake.sourceEvents', 2],
  ])
  expect((await broker.committed('sink.fake.sourceEvents')).find(c => c.topic === topic)?.offset).toBe(4)
})
