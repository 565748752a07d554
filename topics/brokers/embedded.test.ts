import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, describe, expect, it } from 'vitest'
import { VirtualClock } from '../../core/virtual-clock.ts'
import { systemClock } from '../../host/clock.ts'
import { SqlDb } from '../../host/sqlite.ts'
import { brokerContract } from '../broker.contract.ts'
import { message, start, subscribe, textOf, until } from '../harness.contract.ts'
import { openEmbeddedBroker } from './embedded.ts'

const root = mkdtempSync(join(tmpdir(), 'cryptos-broker-'))
const newFile = (): string => join(mkdtempSync(join(root, 'x')), 'log.db')
afterAll(() => rmSync(root, { recursive: true, force: true }))

brokerContract('embedded', (clock, topics) => openEmbeddedBroker({ file: newFile(), clock, topics }))

const single = { name: 'test.single.v1', partitions: 1, retentionMs: 86_400_000, maxMessageBytes: 1_000 }
const clock = new VirtualClock(start)

describe('embedded broker', () => {
  it('keeps records, offsets and groups over a restart', async () => {
    const file = newFile()
    const first = await openEmbeddedBroker({ file, clock, topics: [single] })
    await first.produce([message('k', 'a'), message('k', 'b')])
    const consumer = subscribe(first, { limits: { maxRecords: 1, maxBytes: 1_000, maxAgeMs: 0 } })
    await until(() => consumer.texts().length === 2, 'read')
    await consumer.stop()
    await first.close()
    const second = await openEmbeddedBroker({ file, clock })
    expect(await second.committed('test')).toEqual([{ topic: single.name, partition: 0, offset: 2 }])
    await second.produce([message('k', 'c')])
    expect(await second.partitions(single.name)).toEqual([
      { topic: single.name, partition: 0, begin: 0, end: 3 },
    ])
    await second.close()
  })

  it('lets two handles produce at once without a hole or a double offset', async () => {
    const file = newFile()
    const brokers = await Promise.all([1, 2].map(() => openEmbeddedBroker({ file, clock, topics: [single] })))
    await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        brokers[i % 2]!.produce([message('k', `${i}`), message('k', `${i}+`)]),
      ),
    )
    const offsets = []
    for await (const m of brokers[0]!.read(single.name, { offset: 0 })) offsets.push(m.offset)
    expect(offsets).toEqual(Array.from({ length: 80 }, (_, i) => i))
    await Promise.all(brokers.map(b => b.close()))
  })

  it('stores nothing of a batch whose storing fails in the middle', async () => {
    const broker = await openEmbeddedBroker({ file: newFile(), clock, topics: [single] })
    const bad = message('k', 'b', { headers: { x: 1n as unknown as string } })
    await expect(broker.produce([message('k', 'a'), bad])).rejects.toThrow('BigInt')
    await broker.produce([message('k', 'c')])
    const found = []
    for await (const m of broker.read(single.name, { offset: 0 })) found.push([m.offset, textOf(m.value)])
    expect(found).toEqual([[0, 'c']])
    await broker.close()
  })

  it('sees a topic that another handle made', async () => {
    const file = newFile()
    const one = await openEmbeddedBroker({ file, clock })
    const two = await openEmbeddedBroker({ file, clock, topics: [single] })
    await one.produce([message('k', 'a')])
    expect((await two.partitions(single.name))[0]?.end).toBe(1)
    await one.close()
    await two.close()
  })

  it('says what is wrong with its file', async () => {
    const corrupt = newFile()
    writeFileSync(corrupt, 'this is no database at all, but long enough to look at'.repeat(50))
    await expect(openEmbeddedBroker({ file: corrupt, clock })).rejects.toMatchObject({
      code: 'CRY_STORE_CORRUPT',
    })
    const inFile = join(corrupt, 'log.db')
    await expect(openEmbeddedBroker({ file: inFile, clock })).rejects.toMatchObject({
      code: 'CRY_STORE_UNWRITABLE',
    })
    const newer = newFile()
    await (await openEmbeddedBroker({ file: newer, clock })).close()
    const db = new SqlDb(newer, { synchronous: 'FULL' })
    db.exec('PRAGMA user_version=99')
    db.close()
    await expect(openEmbeddedBroker({ file: newer, clock })).rejects.toMatchObject({
      code: 'CRY_STORE_NEWER',
    })
  })

  it('keeps its file private', async () => {
    const file = newFile()
    await (await openEmbeddedBroker({ file, clock })).close()
    expect(statSync(file).mode & 0o077).toBe(0)
  })
})

/** A child that produces one record after the other and prints each number after produce has resolved. */
async function producer(file: string) {
  const script = join(import.meta.dirname, 'fixtures', 'producer.mjs')
  const child = spawn(process.execPath, [script, file], { stdio: ['ignore', 'pipe', 'inherit'] })
  const acknowledged: number[] = []
  createInterface({ input: child.stdout }).on('line', line => acknowledged.push(Number(line)))
  return { child, acknowledged, exited: once(child, 'exit') }
}

describe('embedded broker with a second process', () => {
  it('wakes by the bell for records of another process, and kill -9 loses none that was acknowledged', async () => {
    const file = newFile()
    const broker = await openEmbeddedBroker({ file, clock: systemClock, topics: [single] })
    const seen = new Set<number>()
    const more = Promise.withResolvers<void>()
    // A virtual clock that nobody moves: without the bell this consumer would sleep for ever.
    const sleeper = await openEmbeddedBroker({ file, clock: new VirtualClock(start) })
    const consumer = subscribe(sleeper, {
      onBatch: async batch => {
        for (const m of batch.messages) seen.add(Number(textOf(m.value)))
        if (seen.size >= 50) more.resolve()
      },
    })
    const { child, acknowledged, exited } = await producer(file)
    await more.promise
    child.kill('SIGKILL')
    await exited
    const stored = []
    for await (const m of broker.read(single.name, { offset: 0 })) stored.push(Number(textOf(m.value)))
    await consumer.stop()
    await sleeper.close()
    await broker.close()
    expect(acknowledged.length).toBeGreaterThan(0)
    expect(stored).toEqual(stored.map((_, i) => i))
    expect(stored.length).toBeGreaterThanOrEqual(acknowledged.length)
    expect(stored.length - acknowledged.length).toBeLessThanOrEqual(2)
  })
})
