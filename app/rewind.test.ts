import { expect, it } from 'vitest'
import { fromEpochMs } from '../core/time.ts'
import { VirtualClock } from '../core/virtual-clock.ts'
import { openMemoryBroker } from '../topics/brokers/memory.ts'
import { message, specs, single, subscribe, until } from '../topics/harness.contract.ts'
import { rewound } from './rewind.ts'

const at = (seconds: number) => fromEpochMs(Date.UTC(2026, 10, 21, 12, 0, seconds))

it('goes back by the time of the records, from what was committed, and not at all where nothing was', async () => {
  const clock = new VirtualClock(at(0))
  const broker = await openMemoryBroker({ clock, topics: specs })
  await broker.produce([0, 10, 20, 30, 40].map(s => message('k', String(s), { timestamp: at(s) })))
  const place = { topic: single, group: 'test' }
  expect(await (await rewound(broker, place, 15_000))(single, 0)).toBeUndefined()
  const end = new AbortController()
  const first = subscribe(broker, {
    limits: { maxRecords: 4, maxBytes: 1_000, maxAgeMs: 0 },
    signal: end.signal,
    onCommitted: () => end.abort(),
  })
  await first.done
  // Committed up to the record of second 30: 15 s before it, the first record is that of second 20.
  const startAt = await rewound(broker, place, 15_000)
  expect(await startAt(single, 0)).toBe(2)
  const again = subscribe(broker, { startAt })
  await until(() => again.texts().length === 3, 'read again')
  await again.stop()
  expect(again.texts()).toEqual(['20', '30', '40'])
  await broker.close()
})
