import { describe, expect, it } from 'vitest'
import type { DeadLetter } from '../core/records.ts'
import { until } from '../topics/harness.contract.ts'
import {
  broker,
  good,
  kinds,
  letters,
  run,
  start,
  table,
  topic,
  useDelivery,
  utf8,
} from './delivery.contract.ts'
import { all } from './sink.contract.ts'

useDelivery()

describe('dead letters', () => {
  const bury = async (): Promise<DeadLetter> => {
    await broker.produce([{ ...good(0), headers: { ...good(0).headers, schema: 'quote.v2+json' } }])
    const delivery = run()
    await until(() => kinds().includes('batch-stored'), 'buried')
    await delivery.stop()
    return (await all(letters.list()))[0]!
  }

  it('shows a letter by id, and a second delivery of the message makes no second one', async () => {
    const letter = await bury()
    await letters.write([letter])
    expect(await all(letters.list())).toHaveLength(1)
    expect(await letters.show(letter.id)).toEqual(letter)
    expect(await letters.show('nope')).toBeUndefined()
  })

  it('replays the very bytes under the very key, once', async () => {
    const letter = await bury()
    await letters.replay(letter.id)
    const messages = await all(broker.read(topic, { offset: 0 }))
    expect(messages).toHaveLength(2)
    expect(messages[1]?.key).toBe(good(0).key)
    expect(Buffer.from(messages[1]!.value!).equals(Buffer.from(good(0).value!))).toBe(true)
    expect(messages[1]?.headers).toEqual({
      ...good(0).headers,
      schema: 'quote.v2+json',
      'dead-letter-replay-of': letter.id,
    })
    expect(await all(letters.list())).toEqual([])
    await expect(letters.replay(letter.id)).rejects.toMatchObject({ code: 'CRY_USAGE' })
    expect(await all(broker.read(topic, { offset: 0 }))).toHaveLength(2)
  })

  it('replays a tombstone as a tombstone, and refuses what never was a message', async () => {
    await broker.produce([{ ...good(0), value: null }])
    const delivery = run()
    await until(() => kinds().includes('batch-stored'), 'buried')
    await delivery.stop()
    const letter = (await all(letters.list()))[0]!
    await letters.replay(letter.id)
    expect((await all(broker.read(topic, { offset: 1 })))[0]?.value).toBeNull()
    await letters.write([{ ...letter, id: 'answer', stage: 'collectors', partition: -1, offset: -1 }])
    await expect(letters.replay('answer')).rejects.toMatchObject({ code: 'CRY_USAGE' })
  })

  it('lists what else lies in the topic as a letter, so that junk hides nothing', async () => {
    const letter = await bury()
    const junk = {
      topic: table.deadLetters.name,
      key: 'junk',
      value: utf8.encode('?'),
      headers: {},
      timestamp: start,
    }
    await broker.produce([junk])
    const found = await all(letters.list())
    expect(found.map(l => [l.id, l.stage])).toEqual([
      [letter.id, 'sink.fake'],
      ['junk', 'dead-letters'],
    ])
    await expect(letters.replay('junk')).rejects.toMatchObject({ code: 'CRY_USAGE' })
  })
})
