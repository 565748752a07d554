import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { topics } from '../../app/stores.ts'
import type { TopicMessage } from '../../core/ports/broker.ts'
import type { DeadLetter } from '../../core/records.ts'
import { systemClock } from '../../host/clock.ts'
import { openDeadLetters } from '../../processors/dead-letters.ts'
import { quoteMessage } from '../../topics/messages.ts'
import { end, numbered, openWorld, servedStores, type World } from './support/world.ts'

const utf8 = new TextEncoder()
const good = (n: number): TopicMessage => quoteMessage(topics.quotes.name, numbered(n))
const poison = (n: number, value: Uint8Array | null, headers = good(n).headers): TopicMessage => ({
  ...good(n),
  value,
  headers,
})

/** What is no quote, each between two that are. */
const poisons: readonly TopicMessage[] = [
  poison(0, new Uint8Array([0xff, 0xfe, 0x00, 0x80])),
  poison(1, utf8.encode('{"kind":"quote",')),
  poison(2, utf8.encode('[]')),
  poison(3, null),
  poison(4, utf8.encode('x'.repeat(15_000))),
  poison(5, good(5).value, { ...good(5).headers, schema: 'quote.v9+json' }),
  poison(6, utf8.encode(`${new TextDecoder().decode(good(6).value ?? undefined)}x`)),
]

const lettersOf = (world: World): Promise<readonly DeadLetter[]> =>
  Array.fromAsync(
    openDeadLetters({ broker: world.broker, topic: topics.deadLetters.name, clock: systemClock }).list(),
  )

describe('poison in a topic', () => {
  it('goes to the dead letters of each store with its very bytes, and its neighbours are stored', async () => {
    await using world = await openWorld('poison', { CRYPTOS_BATCH_MAX_AGE_MS: '20' })
    const mixed = poisons.flatMap((bad, i) => [good(100 + i), bad])
    await world.broker.produce([...mixed, good(200)])
    const running = world.process()
    for (const store of servedStores) await world.holds(store, poisons.length + 1)
    const wanted = poisons.length * servedStores.length
    // A batch of poison alone may come after all that is good.
    for (let i = 0; i < 100 && (await lettersOf(world)).length < wanted; i += 1) await sleep(300)
    expect((await end(running)).code).toBe(0)
    const letters = await lettersOf(world)
    expect(letters).toHaveLength(wanted)
    for (const store of servedStores) {
      const own = letters.filter(letter => letter.stage === `sink.${store}`).map(letter => letter.bytes)
      const sent = poisons.map(({ value }) => Buffer.from(value ?? []).toString('base64'))
      expect(own.toSorted(), store).toEqual(sent.toSorted())
    }
    for (const store of servedStores)
      expect((await world.rows(store)).map(row => row.rawRef)).not.toContain(numbered(0).rawRef)
  })

  it('that can not be buried stops the store before it, and drops nothing', async () => {
    await using world = await openWorld('unburied', { CRYPTOS_BATCH_MAX_AGE_MS: '20' })
    const { Kafka } = (await import('kafkajs')).default
    const admin = new Kafka({ brokers: [...world.config.kafkaBrokers], logLevel: 0 }).admin()
    await admin.connect()
    const running = world.process()
    await world.broker.produce([good(1)])
    for (const store of servedStores) await world.holds(store, 1)
    const name = `${world.config.topicPrefix}sandbox.${topics.deadLetters.name}`
    await admin.deleteTopics({ topics: [name] })
    while ((await admin.listTopics()).includes(name)) await sleep(100)
    await admin.disconnect()
    const [bad] = poisons
    if (bad) await world.broker.produce([{ ...bad, key: good(1).key }, good(1 + 40)])
    await sleep(5_000)
    for (const store of servedStores) expect(await world.rows(store)).toHaveLength(1)
    await end(running)
    // `process` makes the topic anew.
    const again = world.process()
    for (const store of servedStores) await world.holds(store, 2)
    expect((await end(again)).code).toBe(0)
    expect(await lettersOf(world)).toHaveLength(servedStores.length)
  })
})
